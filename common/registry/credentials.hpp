#pragma once

#include <compare>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace airgap::registry {

struct Credential {
  std::string username;
  std::string password;
  std::string identity_token;  ///< an OAuth2 refresh token; username and password are empty then

  friend auto operator<=>(const Credential&, const Credential&) = default;
};

/// Where credentials are looked for, in order; the first file with a hit wins.
struct CredentialSources {
  std::map<std::string, Credential> explicit_ones;  ///< host[:port] -> from --creds-stdin or a creds file
  std::vector<std::string> files;                   ///< auth.json and config.json; absent ones are skipped
  /// "containers-auth.json" for `files`, else programs docker-credential-NAME; the first hit wins.
  std::vector<std::string> helpers{"containers-auth.json"};
  bool files_must_exist = false;  ///< --authfile names one file and only that
  std::stop_token stop;
};

/// REGISTRY_AUTH_FILE or the containers and docker places, from the environment.
std::vector<std::string> default_auth_files();

/// Finds credentials for host/repository. In a file the host's entry in `credHelpers` comes first, as docker
/// and podman have it, then the longest matching key of `auths`, then `credsStore` (run without a shell, 10
/// s, bounded output; R152). Thread-safe; helpers are asked once a host.
class CredentialStore {
 public:
  explicit CredentialStore(CredentialSources sources);
  ~CredentialStore();
  /// Nothing when none is known: anonymous. Throws CredentialsError for a malformed file or a failing helper.
  std::optional<Credential> find(std::string_view registry, std::string_view repository);

 private:
  struct State;
  std::unique_ptr<State> m_state;
};

}  // namespace airgap::registry
