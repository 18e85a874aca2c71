#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/image/descriptor.hpp"
#include "common/registry/host_session.hpp"

namespace airgap::registry {

/// RegistryClient::list_tags on one host.
std::optional<std::vector<std::string>> list_tags(HostSession& host, const std::string& path);

}  // namespace airgap::registry
