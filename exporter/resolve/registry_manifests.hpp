#pragma once

#include <utility>

#include "common/registry/registry_client.hpp"
#include "exporter/resolve/kept_documents.hpp"

namespace airgap::exporter {

/// Manifests by digest, each asked for once in a run: tags often share one, and registries count the
/// questions. Thread-safe.
class RegistryManifests {
 public:
  using Pointer = std::shared_ptr<const registry::FetchedManifest>;

  explicit RegistryManifests(registry::RegistryClient& client) : m_client(client) {}

  /// Null when the registry does not have it.
  Pointer find(const registry::Repository& repository, const hash::Digest& digest);
  /// What an index names; throws NetworkError when it is not there.
  Pointer read(const registry::Repository& repository, const image::Descriptor& wanted);

 private:
  registry::RegistryClient& m_client;
  KeptDocuments<std::pair<registry::Repository, hash::Digest>, registry::FetchedManifest> m_kept{
      std::uint64_t{8} << 20,
      [](const registry::FetchedManifest& manifest) { return manifest.bytes.size(); }};
};

}  // namespace airgap::exporter
