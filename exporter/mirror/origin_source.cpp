#include "exporter/mirror/origin_source.hpp"

#include "common/diag/error.hpp"
#include "common/http/client.hpp"

namespace airgap::exporter {

OriginSource::OriginSource(registry::RegistryClient& client, const PinnedImages& pinned)
    : m_client(client), m_configs(pinned.configs) {
  for (const PinnedImage& image : pinned.images) {
    for (const auto& document : image.graph.manifests)
      m_repositories.emplace(document.descriptor.digest, image.repository);
    for (const auto* blobs : {&image.graph.configs, &image.graph.layers}) {
      for (const image::Descriptor& blob : *blobs) m_repositories.emplace(blob.digest, image.repository);
    }
  }
}

std::string OriginSource::read_manifest(const image::Descriptor& wanted) {
  return m_client.read_document(repository_of(wanted.digest), wanted);
}

std::unique_ptr<io::Source> OriginSource::open_blob(const image::Descriptor& blob, std::uint64_t offset) {
  const auto kept = m_configs.find(blob.digest);
  if (kept != m_configs.end()) {
    return std::make_unique<io::MemorySource>(std::string_view(*kept->second).substr(offset));
  }
  const registry::Repository& from = repository_of(blob.digest);
  try {
    return diag::with_context([&] { return "reading it from " + from.str(); },
                              [&] { return m_client.open_blob(from, blob, offset); });
  } catch (const http::TransferError& error) {
    // What could be repeated was: the upload that reads this is not to take it for a failure of its own.
    throw diag::NetworkError(error.full_message(), error.hint());
  }
}

const registry::Repository& OriginSource::repository_of(const hash::Digest& digest) const {
  const auto found = m_repositories.find(digest);
  if (found == m_repositories.end()) throw diag::InternalError("nobody named " + digest.str());
  return found->second;
}

}  // namespace airgap::exporter
