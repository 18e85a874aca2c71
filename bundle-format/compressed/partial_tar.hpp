#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "bundle-format/archive/ordered_archive.hpp"
#include "bundle-format/compressed/framed_sink.hpp"
#include "common/zstd/frame_reader.hpp"

namespace airgap::bundle::compressed {

/// The frames of an unfinished compressed archive, decoded one after the other from the front as far as they
/// hold what they must.
class PartialTar {
 public:
  struct Left {
    std::size_t blobs = 0;            ///< that are whole
    std::optional<BegunBlob> next{};  ///< whole frames of the blob after those
    FramesThere there{};              ///< all that, with checks
  };

  /// `frames` are cut as those of `plan`, which is borrowed; its head was read from them.
  PartialTar(const std::shared_ptr<const io::File>& file, const ArchivePlan& plan,
             std::vector<zstd::Frame> frames, std::stop_token stop);
  /// Once. Nothing where the head ends inside a frame. Throws Interrupted.
  std::optional<Left> read();

 private:
  /// Decodes frames that hold `length` bytes in all. False where one is missing or damaged.
  template <class Take>
  bool take(std::uint64_t length, Take&& take_content);
  bool read_before(std::size_t blob);
  bool read_blob(std::size_t blob);
  /// What was read so far is kept.
  void keep() { m_kept = m_read; }
  std::span<const std::byte> decode(std::size_t frame);

  const ArchivePlan& m_plan;
  std::stop_token m_stop;
  zstd::FrameTable m_table;
  zstd::FrameReader m_reader;
  std::vector<std::byte> m_content;  ///< of one frame
  std::size_t m_read = 0;            ///< frames
  std::size_t m_kept = 0;            ///< of them
  Left m_left;
};

}  // namespace airgap::bundle::compressed
