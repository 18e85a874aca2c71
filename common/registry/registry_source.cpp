#include "common/registry/registry_source.hpp"

#include <utility>

namespace airgap::registry {

RegistrySource::RegistrySource(RegistryClient& client, Repository repository)
    : m_client(client), m_repository(std::move(repository)) {}

std::string RegistrySource::read_manifest(const image::Descriptor& wanted) {
  return m_client.read_document(m_repository, wanted);
}

std::unique_ptr<io::Source> RegistrySource::open_blob(const image::Descriptor& blob, std::uint64_t offset) {
  return m_client.open_blob(m_repository, blob, offset);
}

}  // namespace airgap::registry
