#pragma once

#include <string>
#include <vector>

#include "common/registry/registry_client.hpp"

namespace airgap::delivery {

/// Takes tags away from one repository, and nothing else: manifests stay, for they may be named by other tags
/// and by indexes. Where a registry deletes manifests alone, the tags are first moved to one of our own,
/// which is then deleted with all its tags; before that it is tried out whether the registry deletes at all,
/// so that a registry which does not is left as it was. Interrupted between the two, the tags stand for an
/// empty artifact; the next deletion takes them.
void delete_tags(const registry::Repository& repository, const std::vector<std::string>& tags,
                 registry::RegistryClient& client);

}  // namespace airgap::delivery
