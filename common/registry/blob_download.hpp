#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/image/descriptor.hpp"
#include "common/io/stream.hpp"
#include "common/registry/host_session.hpp"

namespace airgap::registry {

/// RegistryClient::open_blob on one host.
std::unique_ptr<io::Source> open_blob(HostSession& host, const std::string& path,
                                      const image::Descriptor& blob, std::uint64_t offset);
/// RegistryClient::has_blob on one host.
bool has_blob(HostSession& host, const std::string& path, const hash::Digest& digest);

}  // namespace airgap::registry
