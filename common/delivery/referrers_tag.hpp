#pragma once

#include "common/delivery/push.hpp"

namespace airgap::delivery {

/// A registry without the referrers API finds referrers by a tag that its clients keep: an index named after
/// the subject's digest (OCI distribution-spec, "Referrers Tag Schema"). Makes the indexes that are missing
/// and adds to the others what they lack: to know what, those are read with GET, the one exception to asking
/// the target by HEAD alone.
void update_referrers_tags(const Plan& plan, registry::RegistryClient& client, const PushOptions& options,
                           Failures& failures);

}  // namespace airgap::delivery
