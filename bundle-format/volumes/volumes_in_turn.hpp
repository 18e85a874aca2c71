#pragma once

#include <memory>

#include "bundle-format/volumes/volumes_at_hand.hpp"

namespace airgap::bundle {

/// A blob from volume to volume: for each part that is not at hand read() calls `bring`. All is borrowed. The
/// bytes are not verified.
std::unique_ptr<io::Source> open_in_turn(const VolumesAtHand& volumes, const Blob& blob,
                                         VolumesAtHand::Bring bring);

}  // namespace airgap::bundle
