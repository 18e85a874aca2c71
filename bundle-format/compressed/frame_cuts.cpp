#include "bundle-format/compressed/frame_cuts.hpp"

#include <algorithm>
#include <utility>

#include "common/zstd/check_table.hpp"
#include "common/zstd/seek_table.hpp"

namespace airgap::bundle::compressed {

bool FrameCuts::in_blob() const {
  const std::size_t files = m_plan.metadata.size();
  return m_section >= files && m_section + 1 < sections() && (m_section - files) % 2 == 1;
}

// A metadata file with all that belongs to it; then of each blob what stands before its bytes, and its bytes;
// then the end.
std::uint64_t FrameCuts::section_end() const {
  const std::size_t files = m_plan.metadata.size();
  if (m_section < files) return m_plan.layout.places[m_section].end();
  if (m_section + 1 == sections()) return m_plan.layout.end;
  const tar::Place& place = m_plan.place_of((m_section - files) / 2);
  return in_blob() ? place.data + place.size : place.data;
}

// Passes over sections that have ended: an empty blob has no frame.
void FrameCuts::settle() {
  while (m_section < sections() && m_position == section_end()) {
    ++m_section;
    m_section_begin = m_position;
  }
}

std::optional<FrameCuts::Cut> FrameCuts::next() const {
  if (m_section == sections()) return std::nullopt;
  return Cut{.begin = m_position,
             .end = std::min(section_end(), m_position + zstd::k_max_content),
             .of_blob = in_blob(),
             .first_of_blob = in_blob() && m_position == m_section_begin};
}

void FrameCuts::advance() {
  if (const auto cut = next()) m_position = cut->end;
  settle();
}

void FrameCuts::restart() {
  m_section = 0;
  m_section_begin = m_position = 0;
  settle();
}

std::size_t matching_frames(const ArchivePlan& plan, const zstd::FrameTable& frames) {
  FrameCuts cuts(plan);
  for (std::size_t i = 0; i < frames.count(); ++i) {
    const auto cut = cuts.next();
    if (!cut || cut->end - cut->begin != frames[i].frame.content) return i;
    cuts.advance();
  }
  return frames.count();
}

namespace {

/// Calls `section(length)` for each stretch of the archive that has frames of its own.
template <class Visit>
void each_section(const ArchivePlan& plan, Visit&& section) {
  std::uint64_t before = 0;
  const auto up_to = [&](std::uint64_t end) { section(end - std::exchange(before, end)); };
  for (std::size_t i = 0; i < plan.metadata.size(); ++i) up_to(plan.layout.places[i].end());
  for (std::size_t i = 0; i < plan.blobs.size(); ++i) {
    const tar::Place& place = plan.place_of(i);
    up_to(place.data);
    up_to(place.data + place.size);
  }
  up_to(plan.layout.end);
}

}  // namespace

std::uint64_t count_frames(const ArchivePlan& plan) {
  std::uint64_t count = 0;
  each_section(
      plan, [&](std::uint64_t length) { count += (length + zstd::k_max_content - 1) / zstd::k_max_content; });
  return count;
}

std::uint64_t bytes_at_most(const ArchivePlan& plan) {
  const std::uint64_t frames = count_frames(plan);
  std::uint64_t bytes = zstd::check_table_size(frames) + zstd::seek_table_size(frames);
  each_section(plan, [&](std::uint64_t length) {
    bytes += length / zstd::k_max_content * zstd::stored_at_most(zstd::k_max_content);
    const auto rest = static_cast<std::uint32_t>(length % zstd::k_max_content);
    if (rest != 0) bytes += zstd::stored_at_most(rest);
  });
  return bytes;
}

std::size_t frames_through(const ArchivePlan& plan, std::size_t blobs) {
  const std::uint64_t end = blobs == 0 ? plan.layout.places[plan.metadata.size() - 1].end()
                                       : plan.place_of(blobs - 1).data + plan.place_of(blobs - 1).size;
  FrameCuts cuts(plan);
  std::size_t count = 0;
  for (auto cut = cuts.next(); cut && cut->end <= end; cut = cuts.next()) {
    ++count;
    cuts.advance();
  }
  return count;
}

}  // namespace airgap::bundle::compressed
