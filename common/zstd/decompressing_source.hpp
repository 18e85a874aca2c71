#pragma once

#include <vector>

#include "common/io/stream.hpp"
#include "common/io/zero_padding.hpp"
#include "common/zstd/decompressor.hpp"

namespace airgap::zstd {

/// The content of zstd frames that come one after another, of any form with a window of up to 8 MiB
/// (`zstd -19` needs no more); skippable frames are passed over, and the zeros that may fill up the last
/// block. Throws IntegrityError for damage and what else follows, io::EndsEarly for an end inside a frame,
/// UnsafeError for a larger window.
class DecompressingSource : public io::Source {
 public:
  /// `input` is borrowed.
  explicit DecompressingSource(io::Source& input);
  std::size_t read(std::span<std::byte> out) override;

 private:
  bool fill();  ///< false at the end of the input

  io::Source& m_input;
  Decompressor m_decompressor;
  std::vector<std::byte> m_buffer;
  std::span<const std::byte> m_in;
  std::uint64_t m_read = 0;  ///< bytes of the input
  bool m_between_frames = true;
  bool m_has_frame = false;  // whole
  io::ZeroPadding m_padding{"the zstd data"};
};

}  // namespace airgap::zstd
