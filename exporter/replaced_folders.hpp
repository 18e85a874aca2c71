#pragma once

#include <vector>

#include "bundle-format/bundle_place.hpp"
#include "bundle-format/metadata/contents.hpp"

namespace airgap::exporter {

/// An image whose folder in a tree of skopeo's holds another one now.
struct ReplacedFolder {
  const bundle::Image* image = nullptr;  ///< of those that were given
  hash::Digest before;
};

/// A tag that moved, or, where folders are not called by whole names, perhaps another repository's image:
/// nothing in such a tree says whose it is.
std::vector<ReplacedFolder> replaced_folders(const std::vector<bundle::Image>& images,
                                             const bundle::BundlePlace& tree);

}  // namespace airgap::exporter
