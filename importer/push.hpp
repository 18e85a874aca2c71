#pragma once

#include <map>
#include <stop_token>
#include <vector>

#include "bundle-format/bundle_reader.hpp"
#include "common/diag/error.hpp"
#include "common/registry/registry_client.hpp"
#include "common/transport/observer.hpp"
#include "importer/plan.hpp"

namespace airgap::importer {

struct PushOptions {
  std::size_t jobs = 6;
  bool keep_going = false;
  std::stop_token stop;
};

/// Placements that failed, with the first cause of each. Their manifests and tags are not pushed.
using FailedPlacements = std::map<std::size_t, diag::Error>;

/// All blobs: mounted where the registry has them elsewhere, else sent once and mounted into the other
/// repositories. Read from the medium once, hashed while they are sent. Throws the first failure unless
/// keep_going.
FailedPlacements push_blobs(const ImportPlan& plan, transport::ImageSource& bundle,
                            registry::RegistryClient& client, transport::Observer& observer,
                            const PushOptions& options);
/// The same from a pipe, one blob after another as they come by.
FailedPlacements push_blobs(const ImportPlan& plan, bundle::BundleStream& stream,
                            registry::RegistryClient& client, transport::Observer& observer,
                            const PushOptions& options);

/// All manifests by digest, children first; then all tags that change. To be called in this order, after the
/// blobs. From `again` come blobs that the registry took and lost; null for a pipe, which has passed by.
void push_manifests(const ImportPlan& plan, registry::RegistryClient& client, transport::ImageSource* again,
                    const PushOptions& options, FailedPlacements& failed);
void push_tags(const ImportPlan& plan, registry::RegistryClient& client, const PushOptions& options,
               FailedPlacements& failed);

}  // namespace airgap::importer
