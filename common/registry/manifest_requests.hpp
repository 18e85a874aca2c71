#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/registry/host_session.hpp"
#include "common/registry/registry_client.hpp"

namespace airgap::registry {

// RegistryClient's manifest requests on one host; see there. `path` is the repository's.

std::optional<ManifestHead> head_manifest(HostSession& host, const std::string& path,
                                          std::string_view reference);
std::optional<FetchedManifest> get_manifest(HostSession& host, const std::string& path,
                                            std::string_view reference);
std::string read_document(HostSession& host, const std::string& path, const image::Descriptor& wanted);
void put_manifest(HostSession& host, const std::string& path, std::string_view reference,
                  std::string_view bytes, std::string_view media_type);
bool delete_tag(HostSession& host, const std::string& path, std::string_view tag);
void delete_manifest(HostSession& host, const std::string& path, const hash::Digest& digest);

}  // namespace airgap::registry
