#pragma once

#include "bundle-format/bundle_place.hpp"
#include "exporter/plan/plan.hpp"
#include "exporter/resolve/resolve.hpp"

namespace airgap::exporter {

/// What an earlier run left in the place, for the plan. With `keep_others` the images beside the selection
/// stay, as a directory keeps them, and under the same names inside as long as `names` is the same. Borrows
/// the place. Throws IntegrityError when a manifest of an image to be kept is damaged.
Holdings holdings_of(const bundle::BundlePlace& place, const PinnedImages& selected, bool keep_others,
                     image::NameMode names);

}  // namespace airgap::exporter
