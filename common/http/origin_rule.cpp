#include "common/http/origin_rule.hpp"

#include <arpa/inet.h>
#include <libpsl.h>

#include <string>

namespace airgap::http {
namespace {

bool is_address(const std::string& host) {
  in_addr v4{};
  return host.find(':') != std::string::npos || inet_pton(AF_INET, host.c_str(), &v4) == 1;
}

/// The registrable domain ("docker.io" of "auth.docker.io"), empty for addresses, single labels and public
/// suffixes.
std::string registrable_domain(const std::string& host) {
  if (is_address(host) || host.find('.') == std::string::npos || host.ends_with('.')) return {};
  const char* domain = psl_registrable_domain(psl_builtin(), host.c_str());
  return domain == nullptr ? std::string() : std::string(domain);
}

}  // namespace

bool same_registrable_domain(std::string_view host_a, std::string_view host_b) {
  if (host_a == host_b) return true;
  const std::string domain = registrable_domain(std::string(host_a));
  return !domain.empty() && domain == registrable_domain(std::string(host_b));
}

bool may_send_credentials(const Origin& registry, const Origin& realm, bool realm_named, bool http_named) {
  const bool sealed = realm.scheme == "https" || realm == registry || http_named;
  return sealed && (realm_named || same_registrable_domain(registry.host, realm.host));
}

}  // namespace airgap::http
