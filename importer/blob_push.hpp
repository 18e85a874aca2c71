#pragma once

#include "common/registry/registry_client.hpp"
#include "common/transport/observer.hpp"
#include "importer/plan.hpp"

namespace airgap::importer {

/// Carries out one step: afterwards every repository of it has the blob. `open` is used for the first upload only where
/// `once` says that it can be read once (a pipe); what a registry will not mount is then copied within the registry.
void push_blob(const BlobStep& step, const transport::BlobOpener& open, bool once, registry::RegistryClient& client,
               transport::Observer& observer);

}  // namespace airgap::importer
