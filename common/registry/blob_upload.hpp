#pragma once

#include <string>

#include "common/registry/host_session.hpp"
#include "common/registry/upload_ways.hpp"
#include "common/transport/image_source.hpp"

namespace airgap::registry {

/// RegistryClient::upload_blob on one host.
void upload_blob(HostSession& host, const std::string& path, OutgoingBlob blob, transport::Reread reread);

}  // namespace airgap::registry
