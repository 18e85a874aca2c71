#include "common/zstd/decompressing_source.hpp"

#include <fmt/format.h>

#include <utility>

#include "common/diag/error.hpp"
#include "common/io/ends_early.hpp"

namespace airgap::zstd {
namespace {

constexpr std::size_t k_max_window = std::size_t{8} << 20;
constexpr std::size_t k_step = std::size_t{128} * 1024;

/// RFC 8878: frames begin with 28 B5 2F FD, skippable ones with 50 to 5F.
bool begins_frame(std::byte first) {
  return first == std::byte{0x28} || (first >= std::byte{0x50} && first <= std::byte{0x5f});
}

}  // namespace

DecompressingSource::DecompressingSource(io::Source& input)
    : m_input(input), m_decompressor(k_max_window), m_buffer(k_step) {}

bool DecompressingSource::fill() {
  const std::size_t count = m_input.read(m_buffer);
  m_in = std::span(m_buffer).first(count);
  m_read += count;
  return count != 0;
}

std::size_t DecompressingSource::read(std::span<std::byte> out) {
  for (;;) {
    if (m_in.empty() && !fill() && m_between_frames) return 0;
    const bool ended = m_in.empty();
    if (!ended && m_between_frames && m_has_frame && !begins_frame(m_in.front())) {
      m_padding.take(std::exchange(m_in, {}));
      continue;
    }
    const Decompressor::Step step = m_decompressor.step(m_in, out);
    if (step.window_too_large)
      throw diag::UnsafeError("the zstd frames need more than 8 MiB of memory to read",
                              "unpack it before: zstd -d --long=31 < FILE | airgap-import push - …");
    if (step.needs_dictionary)
      throw diag::UnsafeError(
          "the zstd frames were made with a dictionary, which is not there",
          "unpack it before, with that: zstd -d -D DICTIONARY < FILE | airgap-import push - …");
    if (!step.problem.empty())
      throw diag::IntegrityError(
          fmt::format("the zstd data near byte {} is damaged: {}", m_read - m_in.size() + step.consumed,
                      step.problem),
          "'zstd -t' says whether it was so from the start: make it again, or send it again");
    m_in = m_in.subspan(step.consumed);
    m_between_frames = step.frame_ended;
    m_has_frame = m_has_frame || step.frame_ended;
    if (step.produced != 0) return step.produced;
    if (ended && !step.frame_ended)
      throw io::EndsEarly(fmt::format("the zstd data ends inside a frame, after {} bytes", m_read),
                          "it is cut: copy or write it again");
  }
}

}  // namespace airgap::zstd
