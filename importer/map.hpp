#pragma once

#include <optional>
#include <vector>

#include "bundle-format/metadata/bundle_json.hpp"
#include "common/delivery/placement.hpp"
#include "common/image/mapping.hpp"
#include "common/transport/image_source.hpp"

namespace airgap::importer {

/// Gives every image its place: by `names` when the operator chose any, signatures and the like beside what
/// they are about; else as the bundle says. Reads the
/// manifests from `source`. Throws UsageError for two images with one target (nothing is written then), and
/// for a target that no registry would take.
std::vector<delivery::Placement> map_images(const bundle::BundleInfo& info, transport::ImageSource& source,
                                            const image::RegistryTarget& where,
                                            const std::optional<image::Mapping>& names);

}  // namespace airgap::importer
