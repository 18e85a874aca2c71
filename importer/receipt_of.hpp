#pragma once

#include <set>
#include <vector>

#include "bundle-format/metadata/receipt.hpp"
#include "common/delivery/plan.hpp"

namespace airgap::importer {

/// Blobs that a repository lacks, of images that are in place all the same.
using AbsentBlobs = std::set<delivery::RegistryContent::Key>;

/// What the registry holds of the placements that are in place: their images, and their blobs but for those
/// that are `absent`, with one repository each. Pure; who, when and what for is the caller's to fill in.
bundle::Receipt receipt_of(const delivery::Plan& plan, const std::vector<bool>& in_place,
                           const image::RegistryTarget& registry, const AbsentBlobs& absent = {});

}  // namespace airgap::importer
