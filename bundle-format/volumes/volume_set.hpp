#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bundle-format/volumes/volume_json.hpp"

namespace airgap::bundle {

/// A file that says it is a volume.
struct FoundVolume {
  std::string path;
  std::string stream;
  std::uint64_t sequence = 1;
  std::size_t number = 1;
  std::size_t count = 1;
  bool unfinished = false;  ///< it is still .partial
};

/// Whether both say that they are of one set.
bool same_bundle(const FoundVolume& a, const FoundVolume& b);
/// "set.001.tar is volume 1 of 5 of stream … sequence 1", safe to print.
std::string described(const FoundVolume& volume);

/// Volumes that say they are of one bundle. Nothing of it is proven yet.
struct VolumeSet {
  std::size_t count = 1;
  std::map<std::size_t, FoundVolume> volumes;  ///< by number
  std::vector<std::string> strangers;  ///< about files that were passed over: "x.tar is of another bundle …"

  std::vector<std::size_t> missing() const;
};

/// The volumes that are meant by `paths`: files, in any order, and directories that hold some. A single file
/// stands for those beside it as well, and NAME.tar that is not there for NAME.001.tar and so on. Nothing
/// when no path leads to a volume. Throws IntegrityError for volumes of several bundles, UsageError for a
/// number that is there twice, and for a path that leads to none where others do.
std::optional<VolumeSet> find_volumes(const std::vector<std::string>& paths);

/// The volumes in a directory, or beside a file that was there, maybe, a disc ago. None where nothing can be
/// read just now: a drive may be empty.
std::vector<FoundVolume> volumes_near(const std::string& path);

/// What a file says that it is; nothing for what is no volume.
std::optional<FoundVolume> look_for_volume(const std::string& path);

}  // namespace airgap::bundle
