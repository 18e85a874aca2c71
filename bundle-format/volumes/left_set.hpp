#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bundle-format/archive/archive_state.hpp"
#include "bundle-format/volumes/pieces_source.hpp"
#include "bundle-format/volumes/volume_layout.hpp"
#include "bundle-format/volumes/volume_plan.hpp"
#include "common/io/directory.hpp"

namespace airgap::bundle {

/// One volume that an earlier run left.
struct LeftVolume {
  std::string file;          ///< its name in the directory
  bool named = false;        ///< it has its final name
  std::uint64_t length = 0;  ///< of the file, in bytes
  VolumeLayout layout;
  std::vector<BlobState> parts;  ///< beside layout.info().parts

  bool whole() const;
};

/// The volumes of one set that an earlier run left; some may be missing. Whatever is in them is taken as it
/// is found, and verified by whoever uses it.
struct LeftSet {
  std::optional<BundleInfo> info;             ///< nothing when there is no set, and no volume then
  std::vector<MetadataFile> metadata;         ///< the same in all of them
  std::map<std::size_t, LeftVolume> volumes;  ///< by number, from 1

  bool whole() const;  ///< all of them, with all of their bytes, cut as one bundle is
  /// Takes the other volumes in when they may be of the same set: of the same contents, and together cut as
  /// one bundle is, as far as they are there. False, and nothing is changed, where they are not, or some
  /// number is in both.
  bool join(const LeftSet& other);
  std::vector<PartIndex> parts_of(const hash::Digest& digest) const;  ///< in order, as far as they are there
  bool has(const Blob& blob) const;
  std::uint64_t partial_bytes(const Blob& blob) const;  ///< from the front
  /// The bytes of the blob from `offset` on, of which the first partial_bytes() are there.
  std::unique_ptr<io::Source> open(const io::Directory& directory, const Blob& blob,
                                   std::uint64_t offset) const;
  /// The bytes of a manifest, verified.
  std::optional<std::string> manifest(const io::Directory& directory, const hash::Digest& digest) const;
  /// Takes a damaged blob out of the files: the next run does not count on it.
  void forget(const io::Directory& directory, const hash::Digest& digest) const;

  std::map<hash::Digest, std::vector<PartIndex>> index;  ///< see index_parts()
  void index_parts();                                    ///< when `volumes` are complete
};

/// Reads files as the volumes that their numbers say; what is none, or of other contents than the first, is
/// left out. `named` as in LeftVolume.
LeftSet read_left_set(const io::Directory& directory, const std::map<std::size_t, std::string>& files,
                      bool named);

}  // namespace airgap::bundle
