#include "bundle-format/volumes/whereabouts.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "bundle-format/volumes/tiling.hpp"
#include "bundle-format/volumes/volume_plan.hpp"
#include "common/diag/error.hpp"

namespace airgap::bundle {
namespace {

/// A volume that was filled ends this many blocks before its size at most: a header with a pax record, a
/// block of the blob, and lines in volume.json and SHA256SUMS.volume did not fit any more.
constexpr std::uint64_t k_most_left_over = 8;

}  // namespace

Whereabouts::Whereabouts(const BundleInfo& info, std::vector<MetadataFile> head, std::size_t count)
    : m_info(info), m_head(std::move(head)), m_count(count) {
  for (std::size_t i = 0; i < info.blobs.size(); ++i) m_index.emplace(info.blobs[i].digest, i);
}

void Whereabouts::learn(const VolumeLayout& layout) {
  const VolumeInfo& volume = layout.info();
  if (const auto seen = m_seen.find(volume.number); seen != m_seen.end() && seen->second.info == volume)
    return;
  m_seen[volume.number] = {.info = volume, .length = layout.length()};
  check_tiling();
  Seen& seen = m_seen[volume.number];
  seen.begin = begin_of(volume);
  seen.end = end_of(volume);
  if (m_guess.empty() || m_guess[volume.number - 1] != volume) guess();
}

std::size_t Whereabouts::volume_of(std::size_t blob, std::uint64_t offset) const {
  const Position wanted{blob, offset};
  std::size_t before = 0;  // the last volume that was seen and ends before
  for (const auto& [number, seen] : m_seen) {
    if (seen.begin <= wanted && wanted < seen.end) return number;
    if (seen.end <= wanted) before = number;
  }
  if (m_begins.empty()) return std::min(before + 1, m_count);
  const auto after = std::ranges::upper_bound(m_begins, wanted);
  return std::max<std::size_t>(1, static_cast<std::size_t>(std::distance(m_begins.begin(), after)));
}

std::vector<std::size_t> Whereabouts::volumes_of(std::size_t blob) const {
  const std::uint64_t size = m_info.blobs[blob].stored_size;
  std::vector<std::size_t> numbers;
  const std::size_t last = volume_of(blob, size == 0 ? 0 : size - 1);
  for (std::size_t number = volume_of(blob, 0); number <= last; ++number) numbers.push_back(number);
  return numbers;
}

// Of what the tiling has checked.
Whereabouts::Position Whereabouts::begin_of(const VolumeInfo& volume) const {
  if (volume.parts.empty()) return {};
  return {m_index.at(volume.parts.front().digest), volume.parts.front().offset};
}

Whereabouts::Position Whereabouts::end_of(const VolumeInfo& volume) const {
  if (volume.parts.empty()) return {};
  const Part& last = volume.parts.back();
  const std::size_t blob = m_index.at(last.digest);
  const std::uint64_t end = last.offset + last.size;
  return end < m_info.blobs[blob].stored_size ? Position{blob, end} : Position{blob + 1, 0};
}

void Whereabouts::check_tiling() const {
  Tiling tiling(m_info);
  for (const auto& [number, seen] : m_seen) tiling.add(seen.info);
  tiling.finish(m_count);
}

void Whereabouts::guess() {
  m_guess.clear();
  m_begins.clear();
  std::uint64_t longest = 0;  // of those that are full
  for (const auto& [number, seen] : m_seen) {
    if (number < m_count) longest = std::max(longest, seen.length);
  }
  if (longest == 0) return;
  for (std::uint64_t blocks = 0; blocks <= k_most_left_over; ++blocks) {
    if (guess_from(longest + blocks * tar::k_block)) return;
  }
}

bool Whereabouts::guess_from(std::uint64_t volume_size) {
  try {
    const VolumePlan plan = plan_volumes(m_head, m_info, volume_size);
    if (plan.volumes.size() != m_count) return false;
    for (const auto& [number, seen] : m_seen) {
      if (plan.volumes[number - 1].info() != seen.info) return false;
    }
    for (const VolumeLayout& volume : plan.volumes) {
      m_guess.push_back(volume.info());
      m_begins.push_back(begin_of(volume.info()));
    }
    return true;
  } catch (const diag::UsageError&) {  // no volumes of that size
    return false;
  }
}

}  // namespace airgap::bundle
