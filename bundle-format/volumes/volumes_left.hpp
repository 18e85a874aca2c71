#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "bundle-format/volumes/left_set.hpp"
#include "bundle-format/volumes/volume_names.hpp"

namespace airgap::bundle {

/// All that lies where a set is to be written; a LeftSet without `info` is not there.
struct VolumesLeft {
  LeftSet finished;  ///< whole, each volume under its final name
  /// Unfinished, to go on with: beside a finished one, what is to replace it. A run that ended while it gave
  /// the names left some of it with the final ones, over those of the set that it replaced.
  LeftSet begun;
  std::map<std::size_t, LeftSet> replaced;  ///< what `begun` takes blobs from, by generation
  /// Files with final names that are of neither: of a bundle that is being replaced, or nobody knows.
  std::vector<std::string> others;
  std::vector<std::string> strange;  ///< unfinished by their names, and not by what is in them
};

/// Only looks. Beside a finished set an unfinished one counts only where it is to `replace` that.
VolumesLeft volumes_left(const io::Directory& directory, const VolumeNames& names, bool replace);

}  // namespace airgap::bundle
