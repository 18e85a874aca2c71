#pragma once

#include <stop_token>
#include <string>

#include "common/delivery/failures.hpp"
#include "common/delivery/plan.hpp"
#include "common/registry/registry_client.hpp"
#include "common/transport/image_source.hpp"
#include "common/transport/observer.hpp"

namespace airgap::delivery {

/// Where the content comes from, for messages.
struct Sender {
  std::string name;                  ///< "the bundle"
  std::string when_corrupted;        ///< what the operator does when it gives wrong bytes
  std::string when_unreadable = {};  ///< and when it cannot be read any more
};

struct PushOptions {
  std::size_t jobs = 6;
  std::stop_token stop;
  Sender sender;
};

/// All blobs: mounted where the registry has them elsewhere, else sent once and mounted into the other
/// repositories. Read from `source` once, hashed while they are sent.
void push_blobs(const Plan& plan, transport::ImageSource& source, registry::RegistryClient& client,
                transport::Observer& observer, const PushOptions& options, Failures& failures);

/// All manifests by digest, children first; then, with the lists of referrers between them, all tags that
/// change. To be called in this order, after the blobs. From `again` come blobs that the registry took and
/// lost; null for a pipe, which has passed by.
void push_manifests(const Plan& plan, registry::RegistryClient& client, transport::ImageSource* again,
                    const PushOptions& options, Failures& failures);
void push_tags(const Plan& plan, registry::RegistryClient& client, const PushOptions& options,
               Failures& failures);

}  // namespace airgap::delivery
