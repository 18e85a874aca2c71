#pragma once

#include <functional>
#include <map>

#include "bundle-format/volumes/volume_plan.hpp"
#include "common/io/file.hpp"

namespace airgap::bundle {

/// Gives the digest of a part, by its place in the volume, from bytes that were proven to be its own.
using ReadPartBack = std::function<hash::Digest(std::size_t part)>;

/// Ends a volume whose parts are all there: writes its SHA256SUMS.volume and the end of the archive, and
/// syncs. `known` are digests of parts (by place in the volume) that nobody can tell from their names; what
/// is not in it is taken from check sums that an earlier run wrote, or read back.
void seal_volume(const io::File& file, const VolumePlan& plan, std::size_t volume,
                 const std::map<std::size_t, hash::Digest>& known, const ReadPartBack& read_back);

}  // namespace airgap::bundle
