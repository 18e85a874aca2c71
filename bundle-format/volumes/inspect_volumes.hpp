#pragma once

#include "bundle-format/inspection.hpp"
#include "bundle-format/volumes/volume_set.hpp"

namespace airgap::bundle {

/// A set of volumes as one bundle: their heads agree, what they hold tiles its blobs, and every byte around
/// the blobs is right. With Depth::metadata the head of one of them alone. What is missing is a finding with
/// the blobs that are lost.
Inspection inspect_volumes(const VolumeSet& set, Depth depth);

/// One volume by itself: what `verify` of a single file of several looks at.
Inspection inspect_one_volume(const FoundVolume& volume);

}  // namespace airgap::bundle
