#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/http/client.hpp"
#include "common/registry/auth_challenge.hpp"
#include "common/registry/credentials.hpp"
#include "common/registry/token_source.hpp"
#include "common/task/guarded.hpp"

namespace airgap::registry {

/// What a request needs to be allowed.
struct Access {
  std::string repository;  ///< path; empty for the ping
  bool push = false;
  std::string also_pull{};  ///< a second repository, for a mount

  std::vector<std::string> scopes() const;  ///< token scopes, sorted
};

/// The registry refused although all was tried: what was asked for is not ours, or not there.
class AccessRefused : public diag::CredentialsError {
 public:
  using KindError::KindError;
};

/// Who we are at one registry: adds Authorization to requests and answers challenges. What a challenge taught
/// is used from the first request on. Thread-safe.
class Authorizer {
 public:
  /// All but `registry`, its name as the user wrote it, are borrowed.
  Authorizer(std::string registry, http::Client& transport, CredentialStore& credentials,
             TokenSource& tokens);

  /// Sends `request`, whose URL is at the registry's own origin. After a 401: the challenge of the answer,
  /// else the one of /v2/ (R9); one new token and one wider scope, then AccessRefused that names the scope
  /// (R8). An answer that a redirect led to is returned as it is.
  std::unique_ptr<http::Response> send(http::Request request, const Access& access);
  bool inside() const;  ///< the registry's own address, as far as it is known, is not a public one

 private:
  class Attempt;
  std::optional<Challenge> challenge_of(const http::Request& request, const http::Response& response);
  std::vector<std::string> scopes_for(const Access& access) const;

  std::string m_registry;
  http::Client& m_transport;
  CredentialStore& m_credentials;
  TokenSource& m_tokens;
  struct Known {
    std::optional<Challenge> challenge;
    bool inside = false;  // the registry's own address is not public
    std::map<std::vector<std::string>, std::string>
        extra;  // scopes asked for -> what the registry wants beside them
  };
  task::Guarded<Known> m_known;
};

}  // namespace airgap::registry
