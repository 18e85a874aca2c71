#pragma once

#include <vector>

#include "exporter/resolve/resolve.hpp"

namespace airgap::exporter {

/// An accessory stays only as long as what it accompanies does: the signature of a tag's former image, or of
/// an image that is left out, goes with it. Takes those out of `images` whose subject is neither in `beside`
/// nor in `images`, and returns them.
std::vector<PinnedImage> drop_orphans(const std::vector<PinnedImage>& beside,
                                      std::vector<PinnedImage>& images);

}  // namespace airgap::exporter
