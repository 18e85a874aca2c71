#include "common/registry/endpoints.hpp"

#include <fmt/format.h>

namespace airgap::registry {
namespace {

http::Url at(const http::Origin& origin, std::string_view repository, std::string_view rest) {
  return http::Url::parse(fmt::format("{}/v2/{}/{}", origin.str(), repository, rest));
}

std::uint16_t usual_port(std::string_view scheme) {
  return scheme == "https" ? 443 : 80;
}

}  // namespace

http::Url base_url(const http::Origin& origin) {
  return http::Url::parse(origin.str() + "/v2/");
}

http::Url manifest_url(const http::Origin& origin, std::string_view repository, std::string_view reference) {
  return at(origin, repository, fmt::format("manifests/{}", reference));
}

http::Url blob_url(const http::Origin& origin, std::string_view repository, const hash::Digest& digest) {
  return at(origin, repository, fmt::format("blobs/{}", digest.str()));
}

http::Url uploads_url(const http::Origin& origin, std::string_view repository) {
  return at(origin, repository, "blobs/uploads/");
}

http::Url mount_url(const http::Origin& origin, std::string_view repository, const hash::Digest& digest,
                    std::string_view from) {
  return uploads_url(origin, repository).with_parameter("mount", digest.str()).with_parameter("from", from);
}

http::Url tags_url(const http::Origin& origin, std::string_view repository) {
  return at(origin, repository, "tags/list");
}

http::Url referrers_url(const http::Origin& origin, std::string_view repository,
                        const hash::Digest& subject) {
  return at(origin, repository, fmt::format("referrers/{}", subject.str()));
}

http::Origin origin_of(std::string_view scheme, std::string_view host) {
  return http::Url::parse(fmt::format("{}://{}/", scheme, host)).origin();
}

std::string host_of(const http::Origin& origin) {
  const bool ipv6 = origin.host.find(':') != std::string::npos;
  const std::string name = ipv6 ? fmt::format("[{}]", origin.host) : origin.host;
  return origin.port == usual_port(origin.scheme) ? name : fmt::format("{}:{}", name, origin.port);
}

}  // namespace airgap::registry
