#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/delivery/placement.hpp"
#include "common/registry/registry_client.hpp"
#include "exporter/mirror/mirror_target.hpp"
#include "exporter/select/selection.hpp"

namespace airgap::exporter {

/// A tag of a target repository that its source selection no longer has, and what it stands for.
struct StaleTag {
  std::string tag;
  hash::Digest digest;
};
using StaleTags = std::map<registry::Repository, std::vector<StaleTag>>;

/// What --prune takes away. Only a repository whose images all come from repositories that were selected
/// with all their tags (`whole`) loses tags, and only when some tag of these was selected, or also when the
/// source has none any more (`emptied`). Signatures and the like (sha256-...) stay, unless what they
/// accompany loses its tag here and is nowhere selected. To be asked when nothing failed: what failed is no
/// placement.
StaleTags find_stale_tags(const std::vector<WantedTags>& whole,
                          const std::vector<delivery::Placement>& placements, bool emptied,
                          const MirrorTarget& target, registry::RegistryClient& client);

}  // namespace airgap::exporter
