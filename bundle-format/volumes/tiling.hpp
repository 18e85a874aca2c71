#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "bundle-format/metadata/bundle_json.hpp"
#include "bundle-format/volumes/volume_json.hpp"
#include "bundle-format/volumes/volume_plan.hpp"

namespace airgap::bundle {

/// Volumes that are not there, one after the other, and what is lost with them.
struct Gap {
  std::size_t first = 0;  ///< numbers
  std::size_t last = 0;
  std::vector<hash::Digest> blobs;  ///< of which they hold at least some
};

/// Proves that volumes hold just the blobs of a bundle: each once, in order, without gap or overlap.
class Tiling {
 public:
  /// Borrows `info`.
  explicit Tiling(const BundleInfo& info);

  /// In the order of numbers; those that are not there are left out. Throws UnsafeError, and is of no use
  /// then.
  void add(const VolumeInfo& volume);
  void finish(std::size_t count);  ///< after the last one

  const std::vector<Gap>& gaps() const noexcept { return m_gaps; }
  /// The parts of each blob, in the order of info.blobs; volumes by number, from 1.
  const std::vector<std::vector<PartIndex>>& parts() const noexcept { return m_parts; }
  bool covers(std::size_t blob) const { return !m_lost[blob]; }

 private:
  void jump_to(const Part& part, Gap gap);
  void lose(std::size_t blob, Gap& gap);
  void take(const Part& part, PartIndex at);

  const BundleInfo& m_info;
  std::unordered_map<hash::Digest, std::size_t> m_index;
  std::vector<std::vector<PartIndex>> m_parts;
  std::vector<bool> m_lost;
  std::vector<Gap> m_gaps;
  std::size_t m_last_volume = 0;
  std::size_t m_blob = 0;        ///< that comes next
  std::uint64_t m_offset = 0;    ///< in it
  std::size_t m_last_piece = 0;  ///< of it; unknown after a gap
  bool m_after_gap = false;
};

}  // namespace airgap::bundle
