#pragma once

#include <string>
#include <vector>

#include "common/io/directory.hpp"

namespace airgap::skopeo_tree {

/// How deep and wide a tree may be; names of repositories have at most 255 bytes.
inline constexpr std::size_t k_max_depth = 64;
inline constexpr std::size_t k_max_entries = 4'000'000;

/// A folder that holds an image, or what is left of one.
struct Folder {
  std::string path;               ///< below the top; empty for the top itself
  bool has_manifest = false;      ///< without manifest.json an export was interrupted
  std::vector<io::Entry> files;   ///< sorted; regular files
  std::vector<std::string> deep;  ///< directories in it, where none belongs

  const io::Entry* find(std::string_view name) const;
};

/// What lies below a directory, not opened yet.
struct Survey {
  std::vector<Folder> folders;         ///< sorted by path
  std::vector<std::string> strangers;  ///< files beside the folders
  std::vector<std::string> odd;        ///< links, devices, pipes
  bool unfinished = false;             ///< a run of ours was interrupted, or is going on

  /// Whether there is anything that makes it a tree of image folders.
  bool is_tree() const;
};

/// Walks as skopeo does: a directory that holds manifest.json is an image, and what lies deeper is none. A
/// directory without it is one that was interrupted, when it has no directories, or files that only images
/// have. What operating systems drop is passed over. Throws UnsafeError above the limits.
Survey look_around(const io::Directory& top);

}  // namespace airgap::skopeo_tree
