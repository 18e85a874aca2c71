#pragma once

#include "common/registry/registry_client.hpp"
#include "common/transport/image_source.hpp"

namespace airgap::registry {

/// One repository as a source of documents and blobs. Borrows the client.
class RegistrySource : public transport::ImageSource {
 public:
  RegistrySource(RegistryClient& client, Repository repository);
  std::string read_manifest(const image::Descriptor& wanted) override;
  std::unique_ptr<io::Source> open_blob(const image::Descriptor& blob, std::uint64_t offset) override;

 private:
  RegistryClient& m_client;
  Repository m_repository;
};

}  // namespace airgap::registry
