#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bundle-format/metadata/bundle_json.hpp"
#include "bundle-format/metadata/finding.hpp"
#include "bundle-format/skopeo_tree/survey.hpp"
#include "common/transport/image_graph.hpp"

namespace airgap::skopeo_tree {

/// What one folder of a tree holds, looked at without reading its blobs.
struct FolderImage {
  std::string name;                    ///< for people: the image's, or the folder's where that says none
  std::optional<bundle::Image> image;  ///< when its manifests could be read; unique_bytes is not known here
  transport::ImageGraph graph{};       ///< beside `image`
  std::vector<bundle::Finding> findings{};  ///< what keeps the image from being pushed; `images` is filled

  bool whole() const { return image && findings.empty(); }
};

/// Media types are not stored in a tree: they are those that the manifests themselves say, or have the shape
/// of. `called` is the image's name where the folder's own does not tell (the top itself). Throws
/// StorageError when the medium fails.
FolderImage read_folder(const io::Directory& top, const Folder& folder, const std::string& called);

}  // namespace airgap::skopeo_tree
