#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/hash/digest.hpp"
#include "common/image/descriptor.hpp"
#include "common/registry/host_session.hpp"

namespace airgap::registry {

/// RegistryClient::referrers on one host: distribution-spec, "Listing Referrers". Filters nothing.
std::optional<std::vector<image::Descriptor>> list_referrers(HostSession& host, const std::string& path,
                                                             const hash::Digest& subject);

}  // namespace airgap::registry
