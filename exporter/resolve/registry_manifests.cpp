#include "exporter/resolve/registry_manifests.hpp"

#include "common/registry/registry_source.hpp"

namespace airgap::exporter {

RegistryManifests::Pointer RegistryManifests::find(const registry::Repository& repository,
                                                   const hash::Digest& digest) {
  return m_kept.get({repository, digest}, [&]() -> Pointer {
    auto fetched = m_client.get_manifest(repository, digest.str());
    return fetched ? std::make_shared<registry::FetchedManifest>(std::move(*fetched)) : nullptr;
  });
}

RegistryManifests::Pointer RegistryManifests::read(const registry::Repository& repository,
                                                   const image::Descriptor& wanted) {
  return m_kept.get({repository, wanted.digest}, [&] {
    registry::RegistrySource source(m_client, repository);
    return std::make_shared<registry::FetchedManifest>(
        registry::FetchedManifest{.descriptor = wanted, .bytes = source.read_manifest(wanted)});
  });
}

}  // namespace airgap::exporter
