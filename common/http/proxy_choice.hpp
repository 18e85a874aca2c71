#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/http/url.hpp"

namespace airgap::http {

struct Proxy {
  std::string url;    ///< as libcurl takes it; may hold credentials, so never print it
  std::string shown;  ///< "host:port"
};

/// Reads an environment variable; empty when it is not set.
using Environment = std::function<std::string(const char* name)>;
std::string process_environment(const char* name);

/// The proxy for an origin by the variables that curl and Go programs read: https_proxy, HTTPS_PROXY,
/// http_proxy, HTTP_PROXY (not where REQUEST_METHOD is set: CGI scripts receive HTTP_PROXY from clients),
/// all_proxy, ALL_PROXY, and no_proxy, NO_PROXY for the exceptions. Throws UsageError for a proxy that is not
/// http, https, socks5 or socks5h (R64, R155).
std::optional<Proxy> proxy_for(const Origin& origin, const Environment& environment);

/// Does a no_proxy list name the origin? Entries: "*", names and their subdomains ("example.com",
/// ".example.com"), addresses, networks ("10.0.0.0/8"), each with an optional ":port".
bool is_exempt(const Origin& origin, std::string_view no_proxy);

}  // namespace airgap::http
