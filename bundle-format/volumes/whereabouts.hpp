#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

#include "bundle-format/metadata/contents.hpp"
#include "bundle-format/volumes/volume_layout.hpp"

namespace airgap::bundle {

/// Which volume of a set holds what, although most of them were not seen. A writer fills each volume up to
/// its size, so the length of one and the order of the blobs say where all the others begin (SPEC.md,
/// "Volumes"). That is a guess, believed while it agrees with every volume that was seen; without one,
/// volumes are guessed in order. Not thread-safe.
class Whereabouts {
 public:
  /// `head` are the metadata files of each of `count` volumes. Borrows `info`.
  Whereabouts(const BundleInfo& info, std::vector<MetadataFile> head, std::size_t count);

  /// A volume was seen. Throws UnsafeError when it does not go together with those that were seen before.
  void learn(const VolumeLayout& volume);

  /// The number of the volume that has a byte of a blob, by its position in info.blobs. Where nobody knows,
  /// the first one that may have it.
  std::size_t volume_of(std::size_t blob, std::uint64_t offset) const;
  /// The numbers of all that have some of it, ascending.
  std::vector<std::size_t> volumes_of(std::size_t blob) const;
  std::size_t index_of(const hash::Digest& blob) const { return m_index.at(blob); }
  /// Whether all volumes are known, be it by the guess.
  bool knows() const noexcept { return !m_begins.empty(); }

 private:
  /// In the order of the archive.
  struct Position {
    std::size_t blob = 0;
    std::uint64_t offset = 0;
    friend auto operator<=>(const Position&, const Position&) = default;
  };
  struct Seen {
    VolumeInfo info;
    std::uint64_t length = 0;  ///< bytes
    Position begin{};
    Position end{};  ///< of the byte after its last one
  };
  Position begin_of(const VolumeInfo& volume) const;
  Position end_of(const VolumeInfo& volume) const;
  void check_tiling() const;
  void guess();
  bool guess_from(std::uint64_t volume_size);

  const BundleInfo& m_info;
  std::vector<MetadataFile> m_head;
  std::size_t m_count;
  std::unordered_map<hash::Digest, std::size_t> m_index;
  std::map<std::size_t, Seen> m_seen;  ///< by number
  std::vector<VolumeInfo> m_guess;     ///< by number, from 0; empty when none agrees
  std::vector<Position> m_begins;      ///< of m_guess
};

}  // namespace airgap::bundle
