#pragma once

#include <functional>

#include "bundle-format/bundle_reader.hpp"
#include "common/delivery/push.hpp"

namespace airgap::importer {

/// delivery::push_blobs from a pipe: one blob after another as they come by. A damaged one is a failure of
/// the images that wait for it; `passed_over` takes what is wrong with one that no image waits for.
void push_blobs(const delivery::Plan& plan, bundle::BundleStream& stream, registry::RegistryClient& client,
                transport::Observer& observer, const delivery::PushOptions& options,
                delivery::Failures& failures, const std::function<void(const diag::Error&)>& passed_over);

}  // namespace airgap::importer
