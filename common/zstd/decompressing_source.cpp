#include "common/zstd/decompressing_source.hpp"

#include <fmt/format.h>

#include "common/diag/error.hpp"

namespace airgap::zstd {
namespace {

constexpr std::size_t k_max_window = std::size_t{8} << 20;
constexpr std::size_t k_step = std::size_t{128} * 1024;

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
    const Decompressor::Step step = m_decompressor.step(m_in, out);
    if (step.window_too_large)
      throw diag::UnsafeError("the zstd frames need more than 8 MiB of memory to read",
                              "unpack it before: zstd -d --long=31 < FILE | airgap-import push - …");
    if (step.needs_dictionary)
      throw diag::UnsafeError(
          "the zstd frames were made with a dictionary, which is not there",
          "unpack it before, with that: zstd -d -D DICTIONARY < FILE | airgap-import push - …");
    if (!step.problem.empty())
      throw diag::IntegrityError(fmt::format("the zstd data near byte {} is damaged: {}",
                                             m_read - m_in.size() + step.consumed, step.problem));
    m_in = m_in.subspan(step.consumed);
    m_between_frames = step.frame_ended;
    if (step.produced != 0) return step.produced;
    if (ended && !step.frame_ended)
      throw diag::IntegrityError(fmt::format("the zstd data ends inside a frame, after {} bytes", m_read),
                                 "it is cut: copy or write it again");
  }
}

}  // namespace airgap::zstd
