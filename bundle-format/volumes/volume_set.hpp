#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bundle-format/volumes/found_volume.hpp"

namespace airgap::bundle {

/// Volumes that say they are of one bundle. Nothing of it is proven yet.
struct VolumeSet {
  std::size_t count = 1;
  std::map<std::size_t, FoundVolume> volumes;  ///< by number
  std::vector<std::string> strangers{};  ///< about those of other bundles: "x.001.tar is volume 1 of 3 …"
  /// Paths of unfinished volumes beside them: of an export that is to replace this bundle, say.
  std::vector<std::string> unfinished{};
  std::vector<std::string> copies{};  ///< about volumes that are there twice: which file is not used
  /// Paths of files beside them that are called like volumes, and whose heads cannot be read.
  std::vector<std::string> unreadable{};

  std::vector<std::size_t> missing() const;
  /// "v.001.tar.partial and 3 more: passed over, …", safe to print; nothing where there are none.
  std::optional<std::string> about_unfinished() const;
  /// The unreadable file that is this volume by its name; nothing where there is none.
  std::optional<std::string> damaged_file(std::size_t number) const;
};

/// The volumes that are meant by `paths`: files, in any order, and directories that hold some. A single file
/// stands for those beside it as well, and NAME.tar that is not there for NAME.001.tar and so on. Nothing
/// when no path leads to a volume. Unfinished volumes are passed over where all others are of one bundle and
/// complete. Of a volume that is there twice the first one that is not cut counts. Throws IntegrityError for
/// volumes of several bundles, UsageError where one of those bundles is whole and nothing says which is
/// meant, and for a path that leads to none where others do, and UnsafeError for two volumes of one number
/// that are not the same.
std::optional<VolumeSet> find_volumes(const std::vector<std::string>& paths);

}  // namespace airgap::bundle
