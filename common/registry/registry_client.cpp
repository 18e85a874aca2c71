#include "common/registry/registry_client.hpp"

#include <fmt/format.h>

#include <map>
#include <set>
#include <utility>

#include "common/diag/log.hpp"
#include "common/registry/blob_download.hpp"
#include "common/registry/blob_upload.hpp"
#include "common/registry/first_answer.hpp"
#include "common/registry/host_session.hpp"
#include "common/registry/manifest_requests.hpp"
#include "common/registry/referrers.hpp"
#include "common/registry/routed_blob.hpp"
#include "common/registry/tag_listing.hpp"
#include "common/registry/token_source.hpp"
#include "common/registry/upload_session.hpp"
#include "common/task/guarded.hpp"

namespace airgap::registry {

/// The host sessions, made when they are first needed, and the ways to them.
class RegistryClient::Session {
 public:
  Session(http::Client& transport, CredentialStore& credentials, task::Clock& clock, RegistryOptions options)
      : m_options(std::move(options)),
        m_lookup(origin_lookup(m_options.hosts)),
        m_tokens(transport, clock, m_lookup),
        m_parts{transport, credentials, m_tokens, clock, m_options, m_lookup} {}

  HostSession& of(const Endpoint& endpoint) {
    SessionKey key{endpoint.repository.registry, endpoint.insecure, endpoint.mirror};
    return m_hosts.with([&](auto& hosts) -> HostSession& {
      auto& host = hosts[key];
      if (!host) host = std::make_unique<HostSession>(key, m_parts);
      return *host;
    });
  }
  /// Where the name itself is.
  HostSession& exactly(const Repository& name) { return of(m_options.routes.to_push(name)); }

  void expect_push(const Repository& name) {
    exactly(name).expect_push(name.path);
    m_pushed_to.with([&](auto& names) { names.insert(name); });
  }

  Route to_pull(const Repository& name, std::string_view reference) const {
    if (!is_routed(name)) return {m_options.routes.to_push(name)};
    const bool by_digest = reference.find(':') != std::string_view::npos;  // no tag holds one
    return m_options.routes.to_pull(name, by_digest ? PullBy::digest : PullBy::tag);
  }
  Route to_tags(const Repository& name, TagsFrom from) const {
    if (!is_routed(name)) return {m_options.routes.to_push(name)};
    return from == TagsFrom::location ? m_options.routes.to_list_tags(name)
                                      : m_options.routes.to_find_tags(name);
  }

  /// Those of the first endpoint that does not fail.
  FoundTags tags_of(const Route& route) {
    for (auto endpoint = route.begin();; ++endpoint) {
      const bool last = endpoint + 1 == route.end();
      if (!last && m_health.is_down(*endpoint)) continue;
      try {
        return {registry::list_tags(of(*endpoint), endpoint->repository.path), endpoint->mirror};
      } catch (const diag::Error& error) {
        if (last || !may_ask_on(error)) throw;
        m_health.failed(*endpoint, error);
      }
    }
  }

  /// first_answer() of `ask(host, path)`.
  template <class Ask>
  auto first(const Route& route, Ask&& ask) {
    return first_answer(route, m_health, [&](const Endpoint& endpoint) {
      return ask(of(endpoint), endpoint.repository.path);
    });
  }

  /// The same for a manifest. Says where it was looked for, when that is not where its name says.
  template <class Ask>
  auto find_manifest(const Repository& name, std::string_view reference, Ask&& ask) {
    const Route route = to_pull(name, reference);
    auto answer = first(route, std::forward<Ask>(ask));
    if (!answer && route.front().repository != name) {
      std::string places;
      for (const Endpoint& endpoint : route) {
        places += (places.empty() ? "" : ", ") + endpoint.repository.str();
      }
      diag::log("registry", diag::LogLevel::info, fmt::format("{} was looked for at {}", name.str(), places));
    }
    return answer;
  }

  MirrorHealth& health() { return m_health; }

 private:
  bool is_routed(const Repository& name) const {
    return m_options.pull_by_routes &&
           !m_pushed_to.with([&](const auto& names) { return names.contains(name); });
  }

  RegistryOptions m_options;
  http::OriginLookup m_lookup;
  TokenSource m_tokens;
  SessionParts m_parts;
  task::Guarded<std::map<SessionKey, std::unique_ptr<HostSession>>> m_hosts;
  task::Guarded<std::set<Repository>> m_pushed_to;
  MirrorHealth m_health;
};

RegistryClient::RegistryClient(http::Client& transport, CredentialStore& credentials, task::Clock& clock,
                               RegistryOptions options)
    : m_session(std::make_unique<Session>(transport, credentials, clock, std::move(options))) {}

RegistryClient::~RegistryClient() = default;

std::optional<ManifestHead> RegistryClient::head_manifest(const Repository& repository,
                                                          std::string_view reference) {
  return m_session->find_manifest(repository, reference, [&](auto& host, const auto& path) {
    return registry::head_manifest(host, path, reference);
  });
}

std::optional<FetchedManifest> RegistryClient::get_manifest(const Repository& repository,
                                                            std::string_view reference) {
  return m_session->find_manifest(repository, reference, [&](auto& host, const auto& path) {
    return registry::get_manifest(host, path, reference);
  });
}

std::string RegistryClient::read_document(const Repository& repository, const image::Descriptor& wanted) {
  return m_session->first(
      m_session->to_pull(repository, wanted.digest.str()),
      [&](auto& host, const auto& path) { return registry::read_document(host, path, wanted); });
}

std::optional<std::vector<std::string>> RegistryClient::list_tags(const Repository& repository) {
  return find_tags(repository, TagsFrom::location).tags;
}

FoundTags RegistryClient::find_tags(const Repository& repository, TagsFrom from) {
  return m_session->tags_of(m_session->to_tags(repository, from));
}

std::optional<std::vector<image::Descriptor>> RegistryClient::referrers(const Repository& repository,
                                                                        const hash::Digest& subject) {
  return find_referrers(repository, subject).listed;
}

FoundReferrers RegistryClient::find_referrers(const Repository& repository, const hash::Digest& subject) {
  const Route route = m_session->to_pull(repository, subject.str());
  FoundReferrers found;
  bool mirrors_know_none = false;
  const auto ask = [&](HostSession& host, const std::string& path) {
    auto listed = list_referrers(host, path, subject);
    found.of_mirror = host.is_mirror();
    if (found.of_mirror && (!listed || listed->empty())) {
      mirrors_know_none = true;
      listed.reset();
    }
    return listed;
  };
  const auto not_believed = [&](const std::string& why) {
    return MirrorsKnowNone(
        fmt::format("the mirrors of {} list nothing that accompanies {}, and its location {}",
                    repository.str(), subject.str(), why));
  };
  try {
    found.listed = m_session->first(route, ask);
  } catch (const diag::NetworkError& error) {
    if (!mirrors_know_none) throw;
    throw not_believed("cannot be asked: " + error.full_message());
  }
  if (found.of_mirror && !found.listed) throw not_believed("is blocked");
  return found;
}

bool RegistryClient::has_blob(const Repository& repository, const hash::Digest& digest) {
  return registry::has_blob(m_session->exactly(repository), repository.path, digest);
}

std::unique_ptr<io::Source> RegistryClient::open_blob(const Repository& repository,
                                                      const image::Descriptor& blob, std::uint64_t offset) {
  const auto open = [session = m_session.get(), blob](const Endpoint& endpoint, std::uint64_t from) {
    return registry::open_blob(session->of(endpoint), endpoint.repository.path, blob, from);
  };
  Route route = m_session->to_pull(repository, blob.digest.str());
  if (route.size() == 1) return open(route.front(), offset);
  return std::make_unique<RoutedBlob>(RoutedBlobRequest{repository, blob.digest, std::move(route), open},
                                      m_session->health(), offset);
}

void RegistryClient::expect_push(const Repository& repository) {
  m_session->expect_push(repository);
}

bool RegistryClient::mount_blob(const Repository& repository, const hash::Digest& digest,
                                const Repository& from) {
  if (repository.registry != from.registry || repository.path == from.path) return false;
  expect_push(repository);
  return registry::mount_blob(m_session->exactly(repository), repository.path, digest, from.path);
}

void RegistryClient::upload_blob(const Repository& repository, const image::Descriptor& blob,
                                 const transport::BlobOpener& open, const UploadNews& news,
                                 transport::Reread reread) {
  expect_push(repository);
  registry::upload_blob(m_session->exactly(repository), repository.path, {blob, open, news, reread});
}

std::uint64_t RegistryClient::kept_bytes(const Repository& repository, const image::Descriptor& blob) {
  expect_push(repository);
  return registry::kept_bytes(m_session->exactly(repository), repository.path, blob);
}

void RegistryClient::put_manifest(const Repository& repository, std::string_view reference,
                                  std::string_view bytes, std::string_view media_type) {
  expect_push(repository);
  registry::put_manifest(m_session->exactly(repository), repository.path, reference, bytes, media_type);
}

bool RegistryClient::delete_tag(const Repository& repository, std::string_view tag) {
  expect_push(repository);
  return registry::delete_tag(m_session->exactly(repository), repository.path, tag);
}

void RegistryClient::delete_manifest(const Repository& repository, const hash::Digest& digest) {
  expect_push(repository);
  registry::delete_manifest(m_session->exactly(repository), repository.path, digest);
}

}  // namespace airgap::registry
