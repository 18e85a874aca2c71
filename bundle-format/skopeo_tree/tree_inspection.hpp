#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "bundle-format/metadata/bundle_json.hpp"
#include "bundle-format/metadata/finding.hpp"
#include "bundle-format/skopeo_tree/survey.hpp"
#include "common/io/directory.hpp"

namespace airgap::skopeo_tree {

/// An image of a tree that is not whole.
struct BrokenImage {
  std::string name;  ///< safe to print
  std::vector<bundle::Finding> findings;
};

/// A tree, looked at without reading its blobs: manifests are verified, files are there with their sizes.
struct TreeInspection {
  std::string path;
  std::shared_ptr<const io::Directory> top;
  Survey survey;
  std::vector<std::string> names;         ///< of the images, beside survey.folders
  bundle::BundleInfo info;                ///< the whole images, without stream and creator
  std::vector<BrokenImage> broken;        ///< by folder
  std::vector<bundle::Finding> findings;  ///< that are no single image's: links, an unfinished run
  std::unordered_map<hash::Digest, std::string> manifests;          ///< paths of files below the top
  std::unordered_map<hash::Digest, std::string> blobs;              ///< likewise
  std::map<image::Reference, std::vector<std::string>> signatures;  ///< paths, of the whole images
};

/// Nothing when there is no tree at `path`: no directory, a bundle, or nothing that is an image's folder. The
/// tree may be named by any of its folders, down to a single image's.
std::optional<TreeInspection> inspect_tree(const std::string& path);

}  // namespace airgap::skopeo_tree
