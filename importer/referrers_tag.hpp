#pragma once

#include "common/registry/registry_client.hpp"
#include "importer/push.hpp"

namespace airgap::importer {

/// A registry without the referrers API finds referrers by a tag that its clients keep: an index named after
/// the subject's digest (OCI distribution-spec, "Referrers Tag Schema"). Adds what was pushed to those
/// indexes; nothing to do where the registry has the API, or where the bundle brings the index itself.
void update_referrers_tags(const ImportPlan& plan, registry::RegistryClient& client,
                           const PushOptions& options, FailedPlacements& failed);

}  // namespace airgap::importer
