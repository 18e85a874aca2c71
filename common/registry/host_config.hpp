#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/http/message.hpp"
#include "common/http/redirecting_client.hpp"

namespace airgap::registry {

/// How the user said hosts are to be reached. Hosts are host[:port] as in image names.
struct HostRules {
  std::set<std::string> insecure;  ///< --insecure: certificate not verified, plain http where there is no TLS
  std::set<std::string> plain_http;     ///< --plain-http: http only
  std::string cert_dir;                 ///< --cert-dir: replaces the certs.d search; empty for none
  std::vector<std::string> cert_roots;  ///< directories that hold HOST[:PORT]/, first existing one wins
  std::map<std::string, std::string>
      cert_dirs{};  ///< of single hosts: replaces cert_dir and the search there
  std::set<std::string>
      verified{};  ///< TLS with a certificate that verifies, whatever `insecure` and `plain_http` say
  std::set<std::string> trusted{};  ///< --trust-host: servers may point to it, with its TLS verified as ever
};

/// The usual certs.d places, in containers' order: ~/.config/containers, /etc/containers, /etc/docker.
std::vector<std::string> default_cert_roots();

/// What is known of one host: TLS files and schemes.
struct HostConfig {
  std::shared_ptr<const http::TlsSettings> tls;
  bool plain_http_only = false;
  bool may_fall_back_to_http = false;  ///< --insecure only
  bool named = false;  ///< by one of the three options: private addresses are allowed, tokens may be there
};

/// `insecure` is as if the host were in `rules.insecure`. Reads certs.d: *.crt are CAs, X.cert goes with
/// X.key. A directory that we may not list is passed over with a warning. Throws UsageError for a half pair,
/// StorageError for files that cannot be read.
HostConfig host_config(const HostRules& rules, const std::string& host, bool insecure = false);

/// The same for origins that somebody else named: redirects, token servers, foreign layers. Answers are kept,
/// since connections are shared by TLS settings. A client certificate of --cert-dir is not shown to them.
/// Thread-safe.
http::OriginLookup origin_lookup(const HostRules& rules);

/// The host that serves the API: registry-1.docker.io for docker.io, else the same.
std::string api_host(const std::string& registry);

}  // namespace airgap::registry
