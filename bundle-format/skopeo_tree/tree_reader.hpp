#pragma once

#include <memory>

#include "bundle-format/bundle_reader.hpp"
#include "bundle-format/skopeo_tree/tree_inspection.hpp"

namespace airgap::skopeo_tree {

/// Reads the whole images of a tree in place; the others are its broken(). Throws IntegrityError or
/// UnsafeError for what is wrong with the tree as such.
std::unique_ptr<bundle::BundleReader> open_tree(TreeInspection tree);

/// The images. Throws as above, and for a broken image too.
bundle::BundleInfo info_of_whole(TreeInspection tree);

}  // namespace airgap::skopeo_tree
