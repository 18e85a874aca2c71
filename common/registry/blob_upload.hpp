#pragma once

#include <string>

#include "common/registry/host_session.hpp"
#include "common/registry/upload_ways.hpp"

namespace airgap::registry {

/// RegistryClient::upload_blob on one host.
void upload_blob(HostSession& host, const std::string& path, OutgoingBlob blob);

}  // namespace airgap::registry
