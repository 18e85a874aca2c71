#pragma once

#include <stop_token>
#include <vector>

#include "common/registry/registry_client.hpp"
#include "exporter/resolve/resolve.hpp"
#include "exporter/resolve/tag_lists.hpp"
#include "exporter/select/select.hpp"

namespace airgap::exporter {

struct ExpandOptions {
  std::size_t jobs = 6;
  bool allow_empty = false;   ///< a repository none of whose tags is wanted is no error
  bool none_is_fine = false;  ///< nor is it that nothing at all is wanted
  bool keep_going = false;
  std::stop_token stop;
};

struct Expanded {
  Selection selection;              ///< names alone: `repositories` is empty
  std::vector<FailedImage> failed;  ///< only with keep_going
};

/// Lists the tags of the selection's repositories and takes those that are wanted, in the order of the tags;
/// signatures and the like (sha256-...) come last, so that they are seen with what they accompany. Throws
/// what a listing throws, NetworkError for a repository that is not there, UsageError where no tag is wanted.
Expanded expand(Selection selection, TagLists& tags, const ExpandOptions& options);

}  // namespace airgap::exporter
