#pragma once

#include <string>

#include "bundle-format/metadata/bundle_json.hpp"

namespace airgap::bundle {

/// What a delta leaves to the other side, in one line.
std::string requirement(const BundleInfo& info);

}  // namespace airgap::bundle
