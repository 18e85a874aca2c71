#pragma once

#include "bundle-format/bundle_place.hpp"
#include "exporter/resolve/resolve.hpp"

namespace airgap::exporter {

/// What an earlier run left in the place, for resolve. Borrows the place.
KnownImages known_images(const bundle::BundlePlace& place);

/// The image `name` as an earlier run pinned it; its manifests are read from `documents`. What lies in
/// skopeo's directories does not know its whole name.
PinnedImage recall(const image::Reference& name, const bundle::Image& image,
                   transport::ImageSource& documents);

}  // namespace airgap::exporter
