#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bundle-format/bundle_writer.hpp"

namespace airgap::skopeo_tree {

/// Writes the tree that `skopeo sync --dest dir` writes, and updates it. What several images share is fetched
/// once and has a name in each of their folders: hard links, or copies where the file system has no links.
/// Blobs come in as .partial/<alg>-<hex>, which a rerun continues and skopeo does not look into, and are
/// synced before they get their names. commit() gives each changed image its manifest.json last, atomically,
/// when all that it names is on stable storage; then takes away what the image does not name any more, and
/// folders that an interrupted run left. Images beside the contents stay, unless they are to be pruned.
///
/// There is no bundle.json, so existing() is empty; existing_image() knows what lies in an image's folder.
/// Throws StorageError where the file system takes no ':' in names, UsageError for a directory with anything
/// else in it.
std::unique_ptr<bundle::BundleWriter> open_tree_writer(const std::string& path,
                                                       const bundle::TreeOptions& options);

/// Looks at a directory that is there. Throws as above.
std::unique_ptr<bundle::BundlePlace> look_at_tree(const std::string& path,
                                                  const bundle::TreeOptions& options);

/// Throws UsageError for two images with one folder, and for a name with both tag and digest, which skopeo
/// does not read.
void check_folders(const std::vector<image::Reference>& names, bool scoped);

}  // namespace airgap::skopeo_tree
