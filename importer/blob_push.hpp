#pragma once

#include <functional>

#include "common/registry/registry_client.hpp"
#include "common/transport/observer.hpp"
#include "importer/plan.hpp"

namespace airgap::importer {

/// Runs `body`, which gets the blob into `to`, and decides whether a failure ends the step.
using ForRepository = std::function<void(const registry::Repository& to, const std::function<void()>& body)>;

/// Carries out one step: afterwards every repository of it has the blob, but for those that `each` gave up.
/// `open` is used for the first upload only where `once` says that it can be read once (a pipe); what a
/// registry will not mount is then copied within the registry.
void push_blob(const BlobStep& step, const transport::BlobOpener& open, bool once,
               registry::RegistryClient& client, transport::Observer& observer, const ForRepository& each);

}  // namespace airgap::importer
