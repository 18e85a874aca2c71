#pragma once

#include <vector>

#include "bundle-format/compressed/frame_cuts.hpp"
#include "common/io/file.hpp"
#include "common/io/stream.hpp"
#include "common/zstd/frame_compressor.hpp"

namespace airgap::bundle::compressed {

/// Frames at the front of a file, with their checks, and how the blob that they end in is to go on.
struct FramesThere {
  std::vector<zstd::Frame> frames{};
  zstd::Effort effort = zstd::Effort::normal;
};

/// Takes the bytes of an archive in order and writes them as frames, cut as FrameCuts says. What is
/// compressed already is stored as it is. Keeps one frame in memory.
class FramedSink final : public io::Sink {
 public:
  /// `file` begins with `there`; what follows goes away. All are borrowed but `there`.
  FramedSink(const io::File& file, const ArchivePlan& plan, FramesThere there);

  void write(std::span<const std::byte> data) override;
  /// Writes the tables. Nothing is synced.
  void finish() override;
  /// Forgets what was written from this byte of the archive on, where a frame begins.
  void take_back(std::uint64_t offset);

 private:
  void write_frame(const FrameCuts::Cut& cut);
  void append(std::span<const std::byte> data);

  const io::File& m_file;
  FrameCuts m_cuts;
  std::vector<zstd::Frame> m_frames;
  zstd::FrameCompressor m_compressor;
  zstd::Effort m_effort;            ///< for the blob that is being written
  std::vector<std::byte> m_buffer;  ///< of the frame that is being filled
  std::uint64_t m_offset = 0;       ///< in the file
  std::uint64_t m_started = 0;      ///< writing out to the medium has begun up to here
};

/// For a blob that begins with these bytes: none where they are those of a compressed file, of whatever kind.
zstd::Effort effort_for(std::span<const std::byte> front);

}  // namespace airgap::bundle::compressed
