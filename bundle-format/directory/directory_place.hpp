#pragma once

#include <memory>
#include <string>

#include "bundle-format/bundle_place.hpp"

namespace airgap::bundle {

/// Looks at a directory that is there. Throws as survey_directory() does.
std::unique_ptr<BundlePlace> look_at_directory(const std::string& path);

}  // namespace airgap::bundle
