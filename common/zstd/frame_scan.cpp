#include "common/zstd/frame_scan.hpp"

#include <array>
#include <optional>

#include "common/zstd/little_endian.hpp"
#include "common/zstd/seek_table.hpp"

namespace airgap::zstd {
namespace {

constexpr std::uint64_t k_max_block = std::uint64_t{128} * 1024;  // RFC 8878, 3.1.1.2.4
constexpr std::uint64_t k_checksum = 4;
enum BlockType : std::uint32_t { raw, repeated, compressed, reserved };

/// The length of a frame's blocks from `offset` on.
std::optional<std::uint64_t> blocks_length(const io::File& file, std::uint64_t offset) {
  for (std::uint64_t at = offset; at - offset <= 2 * k_max_content;) {
    std::array<std::byte, 3> bytes{};
    if (file.read_at(at, bytes) != bytes.size()) return std::nullopt;
    const std::uint32_t header = read_le(bytes, bytes.size());
    const std::uint32_t type = (header >> 1) & 3;
    const std::uint64_t size = header >> 3;
    if (type == BlockType::reserved || size > k_max_block) return std::nullopt;
    at += bytes.size() + (type == BlockType::repeated ? 1 : size);
    if ((header & 1) != 0) return at - offset;
  }
  return std::nullopt;
}

std::optional<Frame> frame_at(const io::File& file, std::uint64_t offset, std::uint64_t size) {
  std::array<std::byte, k_max_frame_header> front{};
  const std::size_t got = file.read_at(offset, front);
  const auto content = content_of_header(std::span(front).first(got));
  if (!content) return std::nullopt;
  const std::uint64_t header = frame_header(*content).size();
  const auto blocks = blocks_length(file, offset + header);
  if (!blocks) return std::nullopt;
  const std::uint64_t stored = header + *blocks + k_checksum;
  if (stored > size - offset) return std::nullopt;
  return Frame{.stored = static_cast<std::uint32_t>(stored), .content = *content};
}

}  // namespace

std::vector<Frame> scan_frames(const io::File& file) {
  std::vector<Frame> frames;
  const std::uint64_t size = file.size();
  for (std::uint64_t offset = 0; frames.size() < k_max_frames; offset += frames.back().stored) {
    const auto frame = frame_at(file, offset, size);
    if (!frame) break;
    frames.push_back(*frame);
  }
  return frames;
}

}  // namespace airgap::zstd
