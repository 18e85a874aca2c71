#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "common/http/client.hpp"
#include "common/registry/api_error.hpp"
#include "common/registry/authorizer.hpp"
#include "common/registry/registry_options.hpp"
#include "common/registry/repository.hpp"
#include "common/task/clock.hpp"
#include "common/task/guarded.hpp"

namespace airgap::registry {

/// What the sessions of one client share; everything is borrowed.
struct SessionParts {
  http::Client& transport;
  CredentialStore& credentials;
  TokenSource& tokens;
  task::Clock& clock;
  const RegistryOptions& options;
  const http::OriginLookup& lookup;
};

/// How a registry takes blobs, from the best way down (R75).
enum class UploadWay { put, patch, chunks };

/// What a host taught, kept for the run.
struct Learned {
  std::atomic<bool> head_refused = false;   ///< of manifests (R32)
  std::atomic<bool> mount_refused = false;  ///< R69
  std::atomic<bool> no_referrers = false;   ///< R61
  std::atomic<bool> is_registry = false;    ///< it answered as one (R66)
  std::atomic<UploadWay> upload_way = UploadWay::put;
  std::atomic<bool> chunks_refused = false;                           ///< of what would be sent so by choice
  std::atomic<std::uint64_t> most_in_chunk = std::uint64_t{1} << 30;  ///< bytes
};

/// Which session of a host: what registries.conf says of it may differ from name to name.
struct SessionKey {
  std::string registry;
  bool insecure = false;  ///< for the names that are asked here
  bool mirror = false;    ///< another host can be asked instead, so this one gets few repeats

  friend auto operator<=>(const SessionKey&, const SessionKey&) = default;
};

/// One registry host: how it is reached, who we are there and what it taught us. Thread-safe.
class HostSession {
 public:
  HostSession(SessionKey key, const SessionParts& parts);

  const std::string& registry() const noexcept { return m_key.registry; }
  bool is_mirror() const noexcept { return m_key.mirror; }
  const SessionParts& parts() const noexcept { return m_parts; }
  Learned& learned() noexcept { return m_learned; }
  http::RetryPolicy retry() const;  ///< of downloads

  /// Where the API is. The first call for an --insecure host finds out whether it speaks TLS.
  http::Origin origin();

  /// A request to `url`, which may be another origin's when the registry pointed there: it is then checked as
  /// somebody else's word (1.4) and sent without credentials.
  http::Request request(http::Method method, const http::Url& url);
  std::unique_ptr<http::Response> send(http::Request request, const Access& access);

  /// From now on requests for this repository ask for the right to push, so that one token does for all of
  /// them. A registry may deny a repository that does not exist yet to those who only want to pull.
  void expect_push(const std::string& path);
  Access read_access(const std::string& path) const;

  /// An upload session that a mount left behind, for the upload that follows.
  void keep_upload(const std::string& key, const http::Url& location);
  std::optional<http::Url> take_upload(const std::string& key);

  /// Asks /v2/ unless the host has shown already that it is a registry. Throws NetworkError when a web page
  /// answers (R66).
  void require_registry();
  void warn_once(const std::string& text);

 private:
  http::Origin find_origin();
  bool answers_at(const http::Origin& origin, bool repeatable);
  void take_notice(const http::ResponseHead& head);

  SessionKey m_key;
  SessionParts m_parts;
  HostConfig m_config;
  Authorizer m_authorizer;
  Learned m_learned;
  std::mutex m_origin_mutex;  // held while the scheme is found out
  std::optional<http::Origin> m_origin;
  task::Guarded<std::set<std::string>> m_warned;
  task::Guarded<std::set<std::string>> m_pushed_to;
  task::Guarded<std::map<std::string, http::Url>> m_uploads;
};

}  // namespace airgap::registry
