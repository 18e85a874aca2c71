#pragma once

#include <vector>

#include "bundle-format/metadata/receipt.hpp"
#include "common/delivery/plan.hpp"

namespace airgap::importer {

/// What the registry holds of the placements that are in place: their images, and their blobs with one
/// repository each. Pure; who, when and what for is the caller's to fill in.
bundle::Receipt receipt_of(const delivery::Plan& plan, const std::vector<bool>& in_place,
                           const image::RegistryTarget& registry);

}  // namespace airgap::importer
