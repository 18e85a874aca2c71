#pragma once

#include "common/delivery/push.hpp"

namespace airgap::delivery {

/// Reads back what was pushed: each new tag (or digest, for an image without a tag) must give the sender's
/// bytes. What was there already was compared by HEAD and is not pulled. IntegrityError names the registry
/// (R85).
void confirm(const Plan& plan, registry::RegistryClient& client, const PushOptions& options,
             Failures& failures);

}  // namespace airgap::delivery
