#pragma once

#include <map>
#include <memory>
#include <string>

#include "common/registry/registry_client.hpp"
#include "common/transport/image_source.hpp"
#include "exporter/resolve/resolve.hpp"

namespace airgap::exporter {

/// The blobs of many images, each from the repository that has it; small configs that were read already from
/// memory. Borrows the client. Thread-safe.
class OriginSource : public transport::ImageSource {
 public:
  OriginSource(registry::RegistryClient& client, const PinnedImages& pinned);

  std::string read_manifest(const image::Descriptor& wanted) override;
  std::unique_ptr<io::Source> open_blob(const image::Descriptor& blob, std::uint64_t offset) override;

 private:
  const registry::Repository& repository_of(const hash::Digest& digest) const;

  registry::RegistryClient& m_client;
  std::map<hash::Digest, registry::Repository> m_repositories;
  std::map<hash::Digest, std::shared_ptr<const std::string>> m_configs;
};

}  // namespace airgap::exporter
