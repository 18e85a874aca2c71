#include "common/registry/registry_client.hpp"

#include <map>
#include <utility>

#include "common/registry/blob_download.hpp"
#include "common/registry/blob_upload.hpp"
#include "common/registry/host_session.hpp"
#include "common/registry/manifest_requests.hpp"
#include "common/registry/referrers.hpp"
#include "common/registry/tag_listing.hpp"
#include "common/registry/token_source.hpp"
#include "common/registry/upload_session.hpp"
#include "common/task/guarded.hpp"

namespace airgap::registry {

/// The host sessions, made when they are first needed.
class RegistryClient::Session {
 public:
  Session(http::Client& transport, CredentialStore& credentials, task::Clock& clock, RegistryOptions options)
      : m_options(std::move(options)),
        m_lookup(origin_lookup(m_options.hosts)),
        m_tokens(transport, clock, m_lookup),
        m_parts{transport, credentials, m_tokens, clock, m_options, m_lookup} {}

  HostSession& of(const Repository& repository) {
    return m_hosts.with([&](auto& hosts) -> HostSession& {
      auto& host = hosts[repository.registry];
      if (!host) host = std::make_unique<HostSession>(repository.registry, m_parts);
      return *host;
    });
  }

 private:
  RegistryOptions m_options;
  http::OriginLookup m_lookup;
  TokenSource m_tokens;
  SessionParts m_parts;
  task::Guarded<std::map<std::string, std::unique_ptr<HostSession>>> m_hosts;
};

RegistryClient::RegistryClient(http::Client& transport, CredentialStore& credentials, task::Clock& clock,
                               RegistryOptions options)
    : m_session(std::make_unique<Session>(transport, credentials, clock, std::move(options))) {}

RegistryClient::~RegistryClient() = default;

std::optional<ManifestHead> RegistryClient::head_manifest(const Repository& repository,
                                                          std::string_view reference) {
  return registry::head_manifest(m_session->of(repository), repository.path, reference);
}

std::optional<FetchedManifest> RegistryClient::get_manifest(const Repository& repository,
                                                            std::string_view reference) {
  return registry::get_manifest(m_session->of(repository), repository.path, reference);
}

std::string RegistryClient::read_document(const Repository& repository, const image::Descriptor& wanted) {
  return registry::read_document(m_session->of(repository), repository.path, wanted);
}

std::optional<std::vector<std::string>> RegistryClient::list_tags(const Repository& repository) {
  return registry::list_tags(m_session->of(repository), repository.path);
}

std::optional<std::vector<image::Descriptor>> RegistryClient::referrers(const Repository& repository,
                                                                        const hash::Digest& subject) {
  return list_referrers(m_session->of(repository), repository.path, subject);
}

bool RegistryClient::has_blob(const Repository& repository, const hash::Digest& digest) {
  return registry::has_blob(m_session->of(repository), repository.path, digest);
}

std::unique_ptr<io::Source> RegistryClient::open_blob(const Repository& repository,
                                                      const image::Descriptor& blob, std::uint64_t offset) {
  return registry::open_blob(m_session->of(repository), repository.path, blob, offset);
}

void RegistryClient::expect_push(const Repository& repository) {
  m_session->of(repository).expect_push(repository.path);
}

bool RegistryClient::mount_blob(const Repository& repository, const hash::Digest& digest,
                                const Repository& from) {
  if (repository.registry != from.registry || repository.path == from.path) return false;
  expect_push(repository);
  return registry::mount_blob(m_session->of(repository), repository.path, digest, from.path);
}

void RegistryClient::upload_blob(const Repository& repository, const image::Descriptor& blob,
                                 const transport::BlobOpener& open,
                                 const std::function<void(std::int64_t)>& sent) {
  expect_push(repository);
  registry::upload_blob(m_session->of(repository), repository.path, blob, open, sent);
}

PutResult RegistryClient::put_manifest(const Repository& repository, std::string_view reference,
                                       std::string_view bytes, std::string_view media_type) {
  expect_push(repository);
  return registry::put_manifest(m_session->of(repository), repository.path, reference, bytes, media_type);
}

}  // namespace airgap::registry
