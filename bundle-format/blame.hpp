#pragma once

#include <string>
#include <vector>

#include "bundle-format/inspection.hpp"
#include "bundle-format/metadata/finding.hpp"

namespace airgap::bundle {

/// Follows the references of the manifests that came out whole, adds what is wrong with them to `findings`,
/// and says of each finding which images it touches. `unread` are those of `findings` that are about blobs
/// which could not be read. Returns the names of all images that are touched.
std::vector<std::string> blame(const Inspection& bundle, const std::vector<Finding>& unread,
                               std::vector<Finding>& findings);

}  // namespace airgap::bundle
