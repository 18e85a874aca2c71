#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "common/io/file.hpp"
#include "common/zstd/decompressor.hpp"
#include "common/zstd/frame.hpp"

namespace airgap::zstd {

/// The content of one frame after the other. Throws IntegrityError for a frame that is damaged, or has
/// another form or length than its place says. Used by one thread at a time.
class FrameReader {
 public:
  explicit FrameReader(std::shared_ptr<const io::File> file)
      : m_file(std::move(file)), m_decompressor(k_max_content) {}

  void begin(const FrameTable::Place& place);
  bool at_end() const noexcept { return m_content_left == 0; }
  /// At least one byte, unless at_end(). The last ones come only when the check sums are right.
  std::size_t read(std::span<std::byte> out);
  /// CRC-32 of the frame's bytes in the file, at_end().
  std::uint32_t check() const noexcept { return m_check; }

 private:
  void check_header();
  bool step(std::span<std::byte> out, std::size_t& count);
  void fill();
  [[noreturn]] void fail(std::string_view why) const;

  std::shared_ptr<const io::File> m_file;
  Decompressor m_decompressor;
  FrameTable::Place m_place;
  std::uint32_t m_stored_left = 0;
  std::uint32_t m_content_left = 0;
  std::uint32_t m_check = 0;
  std::vector<std::byte> m_buffer;
  std::span<const std::byte> m_in;
};

}  // namespace airgap::zstd
