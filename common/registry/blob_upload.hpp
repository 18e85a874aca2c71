#pragma once

#include <cstdint>
#include <string>

#include "common/registry/host_session.hpp"
#include "common/registry/upload_ways.hpp"

namespace airgap::registry {

/// RegistryClient::upload_blob on one host.
void upload_blob(HostSession& host, const std::string& path, OutgoingBlob blob);

/// RegistryClient::kept_bytes on one host.
std::uint64_t kept_bytes(HostSession& host, const std::string& path, const image::Descriptor& blob);

}  // namespace airgap::registry
