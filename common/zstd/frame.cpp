#include "common/zstd/frame.hpp"

#include <algorithm>

#include "common/io/stream.hpp"
#include "common/zstd/little_endian.hpp"

namespace airgap::zstd {
namespace {

// Bits of the descriptor: one segment, a check sum, no dictionary; the width of the length in the two
// highest.
constexpr unsigned k_descriptor = 0x24;
constexpr std::uint32_t k_two_bytes_from = 256;  // a length of two bytes counts from here
constexpr std::uint32_t k_four_bytes_from = 65536 + 256;
constexpr std::uint64_t k_block = std::uint64_t{128} * 1024;  // the most that a block holds
constexpr std::uint64_t k_block_header = 3;
constexpr std::uint64_t k_checksum = 4;

}  // namespace

std::string frame_header(std::uint32_t content) {
  std::string header;
  append_le(header, k_frame_magic, 4);
  if (content < k_two_bytes_from) {
    append_le(header, k_descriptor, 1);
    append_le(header, content, 1);
  } else if (content < k_four_bytes_from) {
    append_le(header, k_descriptor | 0x40, 1);
    append_le(header, content - k_two_bytes_from, 2);
  } else {
    append_le(header, k_descriptor | 0x80, 1);
    append_le(header, content, 4);
  }
  return header;
}

std::optional<std::uint32_t> content_of_header(std::span<const std::byte> front) {
  if (front.size() < 6) return std::nullopt;
  const auto descriptor = static_cast<unsigned>(read_le(front.subspan(4), 1));
  std::uint32_t content = 0;
  if (descriptor == k_descriptor) {
    content = read_le(front.subspan(5), 1);
  } else if (descriptor == (k_descriptor | 0x40) && front.size() >= 7) {
    content = read_le(front.subspan(5), 2) + k_two_bytes_from;
  } else if (descriptor == (k_descriptor | 0x80) && front.size() >= 9) {
    content = read_le(front.subspan(5), 4);
  }
  if (content == 0 || content > k_max_content) return std::nullopt;
  return io::text_of(front).starts_with(frame_header(content)) ? std::optional(content) : std::nullopt;
}

std::uint64_t stored_at_most(std::uint32_t content) {
  const std::uint64_t blocks = (content + k_block - 1) / k_block;
  return frame_header(content).size() + blocks * k_block_header + content + k_checksum;
}

FrameTable::FrameTable(const std::vector<Frame>& frames) {
  m_starts.reserve(frames.size() + 1);
  m_starts.push_back({});
  for (const Frame& frame : frames) {
    const Start& last = m_starts.back();
    m_starts.push_back({last.stored_at + frame.stored, last.content_at + frame.content});
  }
  if (frames.empty() ||
      !std::ranges::all_of(frames, [](const Frame& frame) { return frame.check.has_value(); }))
    return;
  m_checks.reserve(frames.size());
  for (const Frame& frame : frames) m_checks.push_back(*frame.check);
}

FrameTable::Place FrameTable::operator[](std::size_t index) const {
  const Start& begin = m_starts[index];
  const Start& end = m_starts[index + 1];
  return {.stored_at = begin.stored_at,
          .content_at = begin.content_at,
          .frame = {.stored = static_cast<std::uint32_t>(end.stored_at - begin.stored_at),
                    .content = static_cast<std::uint32_t>(end.content_at - begin.content_at),
                    .check = m_checks.empty() ? std::nullopt : std::optional(m_checks[index])}};
}

std::size_t FrameTable::index_at(std::uint64_t content_at) const {
  const auto after = std::ranges::upper_bound(m_starts, content_at, {}, &Start::content_at);
  return static_cast<std::size_t>(after - m_starts.begin()) - 1;
}

}  // namespace airgap::zstd
