#pragma once

#include "bundle-format/bundle_reader.hpp"
#include "common/delivery/push.hpp"

namespace airgap::importer {

/// delivery::push_blobs from a pipe: one blob after another as they come by.
void push_blobs(const delivery::Plan& plan, bundle::BundleStream& stream, registry::RegistryClient& client,
                transport::Observer& observer, const delivery::PushOptions& options,
                delivery::Failures& failures);

}  // namespace airgap::importer
