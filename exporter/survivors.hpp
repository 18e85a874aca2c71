#pragma once

#include <utility>
#include <vector>

#include "exporter/fetch.hpp"
#include "exporter/resolve/resolve.hpp"

namespace airgap::exporter {

/// A selection after a fetch that some blobs did not come through (--keep-going).
struct Survivors {
  PinnedImages pinned;
  std::vector<std::pair<image::Reference, diag::Error>> left_out;  ///< and why
};

/// An image falls out with any blob it names, and with it what accompanies it. Of blobs that a want-list
/// names those stay that arrived; the others are left out under the image that needs them. Pure.
Survivors survivors_of(const PinnedImages& pinned, const FetchReport& fetched);

}  // namespace airgap::exporter
