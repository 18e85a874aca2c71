#pragma once

#include <memory>
#include <string>

#include "common/http/message.hpp"
#include "common/http/redirecting_client.hpp"

namespace airgap::registry {

/// The registry that answered with a challenge.
struct Challenger {
  std::string registry;                            ///< as the user named it
  http::Origin origin;                             ///< where it was asked
  bool inside = false;                             ///< its own address is not a public one
  std::shared_ptr<const http::TlsSettings> tls{};  ///< with which it was asked
};

/// A request to the token server `realm`, empty but for its URL and how it may be reached: credentials go to
/// the registry's own host or registrable domain or to a host that the user named, over https or where http
/// was named (R11). Throws CredentialsError that names both hosts; nothing was sent then.
http::Request realm_request(const Challenger& challenger, const std::string& realm, bool with_credentials,
                            const http::OriginLookup& lookup);

/// May addresses that are not public be connected to at `target`, which `challenger` pointed to?
http::AddressRule address_rule(const Challenger& challenger, const http::Origin& target, bool named);

}  // namespace airgap::registry
