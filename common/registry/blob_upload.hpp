#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "common/image/descriptor.hpp"
#include "common/registry/host_session.hpp"
#include "common/transport/image_source.hpp"

namespace airgap::registry {

/// RegistryClient::upload_blob on one host.
void upload_blob(HostSession& host, const std::string& path, const image::Descriptor& blob,
                 const transport::BlobOpener& open, const std::function<void(std::int64_t)>& sent);

}  // namespace airgap::registry
