#pragma once

#include <string_view>

#include "common/hash/digest.hpp"
#include "common/http/url.hpp"

namespace airgap::registry {

// The URLs of the distribution specification below one origin. `repository` is a valid path, `reference` a
// valid tag or digest: nothing in them needs encoding.

http::Url base_url(const http::Origin& origin);  ///< GET /v2/, the ping
http::Url manifest_url(const http::Origin& origin, std::string_view repository, std::string_view reference);
http::Url blob_url(const http::Origin& origin, std::string_view repository, const hash::Digest& digest);
http::Url uploads_url(const http::Origin& origin, std::string_view repository);
http::Url mount_url(const http::Origin& origin, std::string_view repository, const hash::Digest& digest,
                    std::string_view from);
http::Url tags_url(const http::Origin& origin, std::string_view repository);
http::Url referrers_url(const http::Origin& origin, std::string_view repository, const hash::Digest& subject);

/// An origin from host[:port] as in image names; an IPv6 address stands in brackets. Throws FormatError.
http::Origin origin_of(std::string_view scheme, std::string_view host);
/// The reverse: "host", "host:5000" or "[::1]:5000"; the scheme's own port is left out.
std::string host_of(const http::Origin& origin);

}  // namespace airgap::registry
