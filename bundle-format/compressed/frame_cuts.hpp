#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "bundle-format/archive/archive_plan.hpp"
#include "common/zstd/frame.hpp"

namespace airgap::bundle::compressed {

/// Where the frames of a compressed archive end in its tar (SPEC.md, "Compressed archive"): it follows from
/// the layout. Walks from the front; borrows the plan.
class FrameCuts {
 public:
  explicit FrameCuts(const ArchivePlan& plan) : m_plan(plan) { settle(); }

  /// The frame that comes next.
  struct Cut {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    bool of_blob = false;  ///< bytes of a blob and nothing else
    bool first_of_blob = false;
  };
  std::optional<Cut> next() const;  ///< nothing after the last one
  void advance();
  void restart();  ///< at the front

 private:
  std::uint64_t section_end() const;
  std::size_t sections() const { return m_plan.metadata.size() + 2 * m_plan.blobs.size() + 1; }
  bool in_blob() const;
  void settle();

  const ArchivePlan& m_plan;
  std::size_t m_section = 0;
  std::uint64_t m_section_begin = 0;
  std::uint64_t m_position = 0;
};

/// How many of `frames`, from the front, end where the plan's do.
std::size_t matching_frames(const ArchivePlan& plan, const zstd::FrameTable& frames);
/// The number of frames, however large it is.
std::uint64_t count_frames(const ArchivePlan& plan);
/// What the file takes, tables included, where nothing can be compressed.
std::uint64_t bytes_at_most(const ArchivePlan& plan);
/// The number of those up to the last byte of the first `blobs` blobs.
std::size_t frames_through(const ArchivePlan& plan, std::size_t blobs);

}  // namespace airgap::bundle::compressed
