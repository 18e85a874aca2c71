#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "bundle-format/metadata/bundle_json.hpp"
#include "common/io/directory.hpp"

namespace airgap::skopeo_tree {

/// An image's folder as an earlier run, or skopeo, left it.
struct EarlierFolder {
  std::optional<bundle::Image> image;          ///< when it is whole
  std::string problem;                         ///< when it is not
  bool has_manifest = false;                   ///< else it is what is left of an interrupted run
  std::map<std::string, std::uint64_t> files;  ///< names and sizes in bytes
};

/// What lies in a directory that a tree is to be written to.
struct EarlierTree {
  struct Place {
    std::string path;
    std::uint64_t size = 0;  ///< bytes
  };
  std::map<std::string, EarlierFolder> folders;             ///< by path
  std::unordered_map<hash::Digest, Place> blobs;            ///< a place of each
  std::unordered_map<hash::Digest, std::string> manifests;  ///< paths, of indexes and their children too
  bool finished = false;                                    ///< there are images, and no run was interrupted

  const bundle::Image* image_in(const std::string& folder) const;  ///< null unless there is a whole one
  /// The bytes of a manifest below `top`, verified.
  std::optional<std::string> manifest(const io::Directory& top, const hash::Digest& digest) const;
};

/// Throws UsageError, naming the first of them, when there is anything that is no part of such a tree: it
/// would be in the way, and nothing of the user's is ever removed.
EarlierTree earlier_tree(const io::Directory& top);

}  // namespace airgap::skopeo_tree
