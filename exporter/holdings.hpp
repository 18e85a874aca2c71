#pragma once

#include "bundle-format/bundle_writer.hpp"
#include "exporter/plan.hpp"
#include "exporter/resolve.hpp"

namespace airgap::exporter {

/// What an earlier run left in the place that `writer` writes, for resolve. Borrows the writer.
KnownImages known_images(const bundle::BundleWriter& writer);

/// The same for the plan. With `keep_others` the images beside the selection stay, as a directory keeps them.
/// Borrows the writer. Throws IntegrityError when a manifest of an image to be kept is damaged.
Holdings holdings_of(const bundle::BundleWriter& writer, const PinnedImages& selected, bool keep_others);

}  // namespace airgap::exporter
