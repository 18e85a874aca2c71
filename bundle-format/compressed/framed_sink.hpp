#pragma once

#include <vector>

#include "bundle-format/compressed/frame_cuts.hpp"
#include "common/io/file.hpp"
#include "common/io/stream.hpp"
#include "common/zstd/frame_compressor.hpp"

namespace airgap::bundle::compressed {

/// Takes the bytes of an archive in order and writes them as frames, cut as FrameCuts says. What is
/// compressed already is stored as it is. Keeps one frame in memory.
class FramedSink final : public io::Sink {
 public:
  /// `file` has the frames `there` at its front; what follows them goes away. All are borrowed but `there`.
  FramedSink(const io::File& file, const ArchivePlan& plan, std::vector<zstd::Frame> there);

  void write(std::span<const std::byte> data) override;
  /// Writes the seek table. Nothing is synced.
  void finish() override;

 private:
  void write_frame(const FrameCuts::Cut& cut);
  void append(std::span<const std::byte> data);

  const io::File& m_file;
  FrameCuts m_cuts;
  std::vector<zstd::Frame> m_frames;
  zstd::FrameCompressor m_compressor;
  zstd::Effort m_effort = zstd::Effort::normal;  ///< for the blob that is being written
  std::vector<std::byte> m_buffer;               ///< of the frame that is being filled
  std::uint64_t m_offset = 0;                    ///< in the file
  std::uint64_t m_started = 0;                   ///< writing out to the medium has begun up to here
};

/// True when the bytes begin as those of a compressed file do, of whatever kind.
bool looks_compressed(std::span<const std::byte> front);

}  // namespace airgap::bundle::compressed
