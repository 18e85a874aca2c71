#pragma once

#include <set>

#include "common/delivery/plan.hpp"
#include "common/registry/registry_client.hpp"
#include "common/transport/image_source.hpp"

namespace airgap::delivery {

/// Puts one manifest by digest. Where the registry took a blob and then does not know it (R70), the blob is
/// sent once more, from `again` unless that is null. What is `required` nobody can send: IntegrityError.
void push_manifest(const ManifestStep& step, const std::set<hash::Digest>& required,
                   transport::ImageSource* again, registry::RegistryClient& client);

}  // namespace airgap::delivery
