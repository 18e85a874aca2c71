#pragma once

#include <map>
#include <string>

#include "common/registry/registry_client.hpp"
#include "common/task/guarded.hpp"
#include "common/transport/image_source.hpp"
#include "exporter/resolve/registry_manifests.hpp"
#include "exporter/resolve/resolve.hpp"

namespace airgap::exporter {

/// The documents of one repository, from the nearest place: those at hand already (just fetched, or an index
/// that was narrowed here), those of an earlier bundle, else the registry. Borrows client, manifests and
/// known. Thread-safe.
class DocumentSource : public transport::ImageSource {
 public:
  DocumentSource(registry::RegistryClient& client, RegistryManifests& manifests,
                 registry::Repository repository, const KnownImages& known);
  void add(const hash::Digest& digest, std::string bytes);

  std::string read_manifest(const image::Descriptor& wanted) override;
  std::unique_ptr<io::Source> open_blob(const image::Descriptor& blob, std::uint64_t offset) override;

 private:
  registry::RegistryClient& m_client;
  RegistryManifests& m_manifests;
  registry::Repository m_repository;
  const KnownImages& m_known;
  task::Guarded<std::map<hash::Digest, std::string>> m_documents;
};

}  // namespace airgap::exporter
