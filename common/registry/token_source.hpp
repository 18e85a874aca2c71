#pragma once

#include <compare>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/http/client.hpp"
#include "common/http/redirecting_client.hpp"
#include "common/registry/credentials.hpp"
#include "common/registry/realm_rule.hpp"
#include "common/task/clock.hpp"
#include "common/task/guarded.hpp"

namespace airgap::registry {

/// What a token is for. docs.docker.com "Token Authentication Specification".
struct TokenRequest {
  std::string realm;
  std::string service;
  std::vector<std::string> scopes;  ///< "repository:library/nginx:pull"
  std::optional<Credential> credential;

  friend auto operator<=>(const TokenRequest&, const TokenRequest&) = default;
};

/// Bearer tokens: fetched once for all threads that want the same, kept until shortly before they expire by
/// our own monotonic clock (R12, R13). Thread-safe.
class TokenSource {
 public:
  /// `transport` and `clock` are borrowed.
  TokenSource(http::Client& transport, task::Clock& clock, http::OriginLookup lookup);
  ~TokenSource();

  /// A token, which is not the one that was `rejected`. Throws CredentialsError when the token server refuses
  /// or answers with something else, NetworkError when it cannot be reached.
  std::string token(const TokenRequest& wanted, const Challenger& challenger, std::string_view rejected = {});

 private:
  struct Slot;
  std::shared_ptr<Slot> slot_of(const TokenRequest& wanted);

  http::Client& m_transport;
  task::Clock& m_clock;
  http::OriginLookup m_lookup;
  task::Guarded<std::map<TokenRequest, std::shared_ptr<Slot>>> m_slots;
};

}  // namespace airgap::registry
