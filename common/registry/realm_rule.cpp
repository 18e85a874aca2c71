#include "common/registry/realm_rule.hpp"

#include <fmt/format.h>

#include "common/diag/error.hpp"
#include "common/http/origin_rule.hpp"
#include "common/registry/endpoints.hpp"

namespace airgap::registry {
namespace {

[[noreturn]] void refuse(const Challenger& challenger, const http::Origin& realm, std::string_view why,
                         std::string_view option) {
  throw diag::CredentialsError(
      fmt::format("{} asks to log in at {}, {}", challenger.registry, realm.str(), why),
      fmt::format("nothing was sent there; if that server is meant to have your credentials, name it: {} {}",
                  option, host_of(realm)));
}

http::Url parse_realm(const Challenger& challenger, const std::string& realm) {
  try {
    return http::Url::parse(realm);
  } catch (const diag::UnsafeError& error) {
    throw diag::CredentialsError(
        fmt::format("{} names no usable token server: {}", challenger.registry, error.message()),
        "the registry's token realm is configured wrongly");
  }
}

}  // namespace

http::AddressRule address_rule(const Challenger& challenger, const http::Origin& target, bool named) {
  const bool any = named || challenger.inside || target.host == challenger.origin.host;
  return any ? http::AddressRule::any : http::AddressRule::public_only;
}

http::Request realm_request(const Challenger& challenger, const std::string& realm, bool with_credentials,
                            const http::OriginLookup& lookup) {
  http::Request request{.url = parse_realm(challenger, realm)};
  const http::Origin& origin = request.url.origin();
  http::OriginSettings settings = lookup(origin);
  const bool same = origin == challenger.origin;
  if (origin.scheme == "http" && !same && !settings.allow_plain_http) {
    refuse(challenger, origin, "which is plain http", "--plain-http");
  }
  if (with_credentials &&
      !http::may_send_credentials(challenger.origin, origin, settings.named, settings.allow_plain_http)) {
    refuse(challenger, origin, "a host of another owner", "--trust-host");
  }
  request.tls = same && challenger.tls ? challenger.tls : settings.tls;
  request.allow_plain_http = origin.scheme == "http";
  request.addresses = address_rule(challenger, origin, settings.named);
  return request;
}

}  // namespace airgap::registry
