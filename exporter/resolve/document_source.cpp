#include "exporter/resolve/document_source.hpp"

#include <utility>

namespace airgap::exporter {

DocumentSource::DocumentSource(registry::RegistryClient& client, RegistryManifests& manifests,
                               registry::Repository repository, const KnownImages& known)
    : m_client(client), m_manifests(manifests), m_repository(std::move(repository)), m_known(known) {}

void DocumentSource::add(const hash::Digest& digest, std::string bytes) {
  m_documents.with([&](auto& documents) { documents.insert_or_assign(digest, std::move(bytes)); });
}

std::string DocumentSource::read_manifest(const image::Descriptor& wanted) {
  const auto at_hand = m_documents.with([&](const auto& documents) -> std::optional<std::string> {
    const auto found = documents.find(wanted.digest);
    if (found == documents.end()) return std::nullopt;
    return found->second;
  });
  if (at_hand) return *at_hand;
  if (auto kept = m_known.manifest(wanted.digest)) return std::move(*kept);
  return m_manifests.read(m_repository, wanted)->bytes;
}

std::unique_ptr<io::Source> DocumentSource::open_blob(const image::Descriptor& blob, std::uint64_t offset) {
  return m_client.open_blob(m_repository, blob, offset);
}

}  // namespace airgap::exporter
