#pragma once

#include <string>
#include <vector>

#include "bundle-format/volumes/found_volume.hpp"

namespace airgap::bundle {

/// What lies at one place.
struct VolumesNear {
  std::vector<FoundVolume> volumes{};
  std::vector<std::string> unreadable{};  ///< paths of what is called like a volume and can be read as none
};

/// In a directory; `only_of`, unless empty, is the archive whose volumes count ("set.tar"). Throws
/// StorageError when it cannot be listed.
VolumesNear volumes_in(const std::string& directory, const std::string& only_of = {});
/// In a directory, or beside a file that was there, maybe, a disc ago. Nothing where nothing can be read just
/// now: a drive may be empty.
VolumesNear volumes_near(const std::string& path);

/// The directory that a file lies in; "." where the path has none.
std::string parent_of(const std::string& path);
/// "v.002.tar is there, but its head is damaged", safe to print.
std::string unreadable_head(const std::string& path);

}  // namespace airgap::bundle
