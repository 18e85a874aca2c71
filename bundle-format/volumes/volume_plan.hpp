#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "bundle-format/metadata/contents.hpp"
#include "bundle-format/volumes/volume_layout.hpp"

namespace airgap::bundle {

/// A part by its volume and its place in that volume's list, both from 0.
struct PartIndex {
  std::size_t volume = 0;
  std::size_t part = 0;

  friend auto operator<=>(const PartIndex&, const PartIndex&) = default;
};

/// A bundle as a set of volumes, before its first byte. A plain value.
struct VolumePlan {
  std::vector<MetadataFile> metadata;         ///< the first members of each volume
  std::vector<Blob> blobs;                    ///< in archive order
  std::vector<VolumeLayout> volumes;          ///< by number
  std::vector<std::vector<PartIndex>> parts;  ///< of each blob, in its order
  std::map<hash::Digest, std::size_t> index;  ///< of a blob in `blobs`

  const Part& part(PartIndex at) const { return volumes[at.volume].info().parts[at.part]; }
  const tar::Place& place_of(PartIndex at) const { return volumes[at.volume].place_of(at.part); }
};

/// Fills volumes of at most `volume_size` bytes one after the other; a blob that does not fit into the rest
/// of one is cut at a multiple of 512 bytes. Throws UsageError when a volume holds no more than its head, and
/// when there would be too many.
VolumePlan plan_volumes(std::vector<MetadataFile> metadata, const BundleInfo& info,
                        std::uint64_t volume_size);

}  // namespace airgap::bundle
