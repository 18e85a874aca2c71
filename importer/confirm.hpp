#pragma once

#include <stop_token>

#include "common/registry/registry_client.hpp"
#include "importer/push.hpp"

namespace airgap::importer {

/// Reads back what was pushed: each new tag (or digest, for an image without a tag) must give the bundle's
/// bytes. What was there already was compared by HEAD and is not pulled. Throws IntegrityError naming the
/// registry (R85), unless keep_going.
void confirm(const ImportPlan& plan, registry::RegistryClient& client, const PushOptions& options,
             FailedPlacements& failed);

}  // namespace airgap::importer
