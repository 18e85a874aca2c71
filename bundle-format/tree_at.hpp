#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bundle-format/skopeo_tree/tree_inspection.hpp"

namespace airgap::bundle {

/// A tree of skopeo's directories, where one path alone leads to one. Throws UsageError for a folder that has
/// volumes of a bundle beside the folders of images: somebody has to say which is meant.
std::optional<skopeo_tree::TreeInspection> tree_at(const std::vector<std::string>& paths);

}  // namespace airgap::bundle
