#pragma once

#include <vector>

#include "common/delivery/placement.hpp"
#include "exporter/mirror/mirror_target.hpp"
#include "exporter/resolve/source_images.hpp"

namespace airgap::exporter {

/// Gives every image its place. Throws UsageError for two images with one target, and for an image that would
/// be mirrored onto its own repository; nothing is written then.
std::vector<delivery::Placement> place_images(PinnedImages pinned, const SourceImages& source,
                                              const MirrorTarget& target);

}  // namespace airgap::exporter
