#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/cli/app.hpp"
#include "common/registry/registries_conf.hpp"
#include "common/registry/registry_client.hpp"

namespace airgap::cli {

/// The options of every command that reaches a registry.
struct RegistryAccessOptions {
  std::size_t jobs = 6;
  std::size_t retry = 5;
  std::size_t stall_timeout = 30;  ///< seconds
  std::size_t max_wait = 900;      ///< seconds of a Retry-After that is waited for
  std::string authfile;
  std::string creds_file;    ///< --creds-file HOST=FILE or FILE: "user:password" in its first line, 0600
  bool creds_stdin = false;  ///< --creds-stdin: "user:password" on the first line of standard input
  std::string cert_dir;
  std::vector<std::string> insecure;
  std::vector<std::string> plain_http;
  std::vector<std::string> trust_host;
  std::string registries_conf;  ///< --registries-conf: a file, "none", or empty for the usual places
  /// The command pulls: names are read through the mirrors and locations of registries.conf. What it pushes
  /// to is not, whatever this says.
  bool pulls = false;
  bool sends_on = false;  ///< registry::RegistryOptions::sends_on

  void declare(Command& command);
  /// What registries.conf says, read when it is first asked for. Throws UsageError.
  const registry::RegistriesConf& registries() const;

 private:
  mutable std::shared_ptr<const registry::RegistriesConf> m_registries;
};

/// Options of a command that pulls.
RegistryAccessOptions pulling();

/// What a list of images says of one registry, host[:port]. It goes before the options, and for that host
/// alone.
struct RegistrySettings {
  std::optional<registry::Credential> credential{};
  std::optional<bool> verify_tls{};  ///< false is --insecure; true undoes --insecure and --plain-http
  std::string cert_dir{};

  friend bool operator==(const RegistrySettings&, const RegistrySettings&) = default;
};
using SettingsOfRegistries = std::map<std::string, RegistrySettings>;

/// The registry client with all that it stands on, built from the options and the environment.
class RegistryAccess {
 public:
  /// `credential_host` is the host[:port] that --creds-stdin and --creds-file speak for: the one named on the
  /// command line; UsageError when they are given and it is empty (several hosts).
  RegistryAccess(const RegistryAccessOptions& options, const std::string& credential_host, Context& context,
                 const SettingsOfRegistries& settings = {});
  ~RegistryAccess();
  registry::RegistryClient& client();
  /// For what lies beside registries: retries, follows redirects, and sends no credentials.
  http::Client& http();
  http::OriginLookup origins() const;  ///< TLS settings of hosts, by the same options

 private:
  struct Parts;
  std::unique_ptr<Parts> m_parts;
};

}  // namespace airgap::cli
