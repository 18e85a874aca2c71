#pragma once

#include <string_view>

#include "common/http/url.hpp"

namespace airgap::http {

/// True when both names share a registrable domain by the public suffix list (libpsl), so
/// registry-1.docker.io and auth.docker.io but not two customers of one cloud suffix. IP addresses and single
/// labels share only with themselves.
bool same_registrable_domain(std::string_view host_a, std::string_view host_b);

/// May credentials for `registry` go to the token server `realm`? https (or http at the very same origin, or
/// where `http_named`), and the same host or registrable domain (R11).
bool may_send_credentials(const Origin& registry, const Origin& realm, bool realm_named, bool http_named);

}  // namespace airgap::http
