#pragma once

#include <string>
#include <string_view>

#include "common/http/url.hpp"

struct sockaddr;

namespace airgap::http {

/// Is this an address of the public internet? False for loopback, private, shared (100.64/10), link-local,
/// unspecified, multicast and reserved addresses, for the IPv6 forms that embed one of them (mapped, NAT64,
/// 6to4), and for address families that are not IP.
bool is_public_address(const sockaddr& address) noexcept;

/// The same for a numeric address in text; true for anything that is not one, such as a name.
bool is_public_or_name(std::string_view host);

std::string address_text(const sockaddr& address);  ///< "10.0.0.1", without the port

/// What the operator does about a private address that a server pointed to.
std::string private_address_hint(const Origin& origin);

}  // namespace airgap::http
