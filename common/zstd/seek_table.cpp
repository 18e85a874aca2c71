#include "common/zstd/seek_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/diag/error.hpp"
#include "common/zstd/check_table.hpp"
#include "common/zstd/little_endian.hpp"

namespace airgap::zstd {
namespace {

constexpr std::uint32_t k_skippable_magic = 0x184D2A5E;
constexpr std::uint32_t k_seekable_magic = 0x8F92EAB1;
constexpr std::size_t k_front = 8;   // magic and length of the skippable frame
constexpr std::size_t k_footer = 9;  // number of frames, descriptor, magic
constexpr std::size_t k_entry = 8;
constexpr std::size_t k_max_stored = k_max_content + k_max_content / 128;  // above what zstd may make of it

[[noreturn]] void fail(const io::File& file, std::string why) {
  throw diag::IntegrityError(
      fmt::format("the seek table at the end of {} is missing or damaged: {}", file.path(), std::move(why)),
      "it is cut or damaged: copy it again; what plain zstd wrote has no table: airgap-import push - "
      "REGISTRY < FILE");
}

std::vector<std::byte> read_exactly(const io::File& file, std::uint64_t offset, std::size_t size) {
  std::vector<std::byte> bytes(size);
  if (file.read_at(offset, bytes) != size) fail(file, "the file became shorter");
  return bytes;
}

/// The number of frames that the table states, once its own length agrees.
std::size_t stated_frames(const io::File& file, std::uint64_t size) {
  if (size < k_front + k_footer) fail(file, fmt::format("the file has {} bytes", size));
  const auto footer = read_exactly(file, size - k_footer, k_footer);
  if (read_le(std::span(footer).subspan(5), 4) != k_seekable_magic)
    fail(file, "the file does not end with one");
  const std::uint32_t frames = read_le(footer, 4);
  if (footer[4] != std::byte{0}) fail(file, "its descriptor is not 0");
  if (frames > k_max_frames) fail(file, fmt::format("it states {} frames, over the limit", frames));
  return frames;
}

}  // namespace

std::uint64_t seek_table_size(std::uint64_t frames) {
  return k_front + k_entry * frames + k_footer;
}

std::string seek_table(const std::vector<Frame>& frames) {
  if (frames.size() > k_max_frames)
    throw diag::UnsafeError(fmt::format("{} frames are over the limit of {} for a compressed archive",
                                        frames.size(), k_max_frames),
                            "write FILE.tar, or carry fewer images at once");
  std::string table;
  table.reserve(seek_table_size(frames.size()));
  append_le(table, k_skippable_magic, 4);
  append_le(table, static_cast<std::uint32_t>(k_entry * frames.size() + k_footer), 4);
  for (const Frame& frame : frames) {
    append_le(table, frame.stored, 4);
    append_le(table, frame.content, 4);
  }
  append_le(table, static_cast<std::uint32_t>(frames.size()), 4);
  append_le(table, 0, 1);
  append_le(table, k_seekable_magic, 4);
  return table;
}

std::vector<Frame> read_seek_table(const io::File& file) {
  const std::uint64_t size = file.size();
  const std::size_t count = stated_frames(file, size);
  const std::size_t length = seek_table_size(count);
  if (length > size) fail(file, fmt::format("it states {} frames, more than fit the file", count));
  const auto bytes = read_exactly(file, size - length, length - k_footer);
  const auto table = std::span(bytes);
  if (read_le(table, 4) != k_skippable_magic || read_le(table.subspan(4), 4) != length - k_front)
    fail(file, fmt::format("it does not begin where {} frames want it", count));
  std::vector<Frame> frames(count);
  std::uint64_t stored = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto entry = table.subspan(k_front + i * k_entry, k_entry);
    frames[i] = {.stored = read_le(entry, 4), .content = read_le(entry.subspan(4), 4)};
    if (frames[i].content == 0 || frames[i].content > k_max_content || frames[i].stored == 0 ||
        frames[i].stored > k_max_stored)
      fail(file, fmt::format("it states {} bytes for frame {}, with {} of content", frames[i].stored, i,
                             frames[i].content));
    stored += frames[i].stored;
  }
  if (stored + check_table_size(count) == size - length) {
    read_check_table(file, stored, frames);
  } else if (stored != size - length) {
    fail(file, fmt::format("its frames take {} bytes, and {} are before it", stored, size - length));
  }
  return frames;
}

bool ends_with_seek_table(const io::File& file) {
  std::array<std::byte, 4> bytes{};
  const std::uint64_t size = file.size();
  return size >= k_front + k_footer && file.read_at(size - bytes.size(), bytes) == bytes.size() &&
         read_le(bytes, bytes.size()) == k_seekable_magic;
}

bool looks_framed(const io::File& file) {
  std::array<std::byte, 4> bytes{};
  const bool begins = file.read_at(0, bytes) == bytes.size() && read_le(bytes, bytes.size()) == k_frame_magic;
  return begins || ends_with_seek_table(file);
}

}  // namespace airgap::zstd
