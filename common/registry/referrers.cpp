#include "common/registry/referrers.hpp"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "common/image/manifest.hpp"
#include "common/image/media_type.hpp"
#include "common/registry/endpoints.hpp"
#include "common/registry/limits.hpp"
#include "common/registry/pagination.hpp"
#include "common/registry/reply.hpp"

namespace airgap::registry {
namespace {

// Answers of a registry that does not know the API at all. 404 with a registry's own code means the
// repository.
bool means_no_api(const Refusal& refusal) {
  switch (refusal.status) {
    case 400:
    case 405:
    case 406:
    case 410:
    case 415:
    case 501:
      return true;
    case 404:
      return !refusal.has("NAME_UNKNOWN") && !refusal.has("MANIFEST_UNKNOWN");
    default:
      return false;
  }
}

std::vector<image::Descriptor> parse_page(const HostSession& host, http::Response& response,
                                          const std::string& subject) {
  refuse_web_page(host.registry(), response);
  const std::string body = read_body(response, k_max_manifest, subject);
  try {
    const std::string type = response.head().headers.find("Content-Type").value_or("");
    image::ParsedManifest parsed = image::parse_manifest(body, type, image::k_oci_index);
    return std::move(std::get<image::Index>(parsed.body).manifests);
  } catch (const diag::FormatError&) {
    throw_not_a_registry(host.registry(), body);
  }
}

}  // namespace

std::optional<std::vector<image::Descriptor>> list_referrers(HostSession& host, const std::string& path,
                                                             const hash::Digest& subject) {
  if (host.learned().no_referrers) return std::nullopt;
  const Asked asked{.registry = host.registry(),
                    .repository = path,
                    .subject = fmt::format("the referrers of {}@{}", path, subject.str())};
  std::vector<image::Descriptor> found;
  std::set<hash::Digest> seen;
  PageWalk walk(host.registry(), k_max_tag_pages);
  std::optional<http::Url> page = referrers_url(host.origin(), path, subject);
  while (page) {
    http::Request request = host.request(http::Method::get, *page);
    request.headers.set("Accept", std::string(image::k_oci_index));
    const auto response = host.send(std::move(request), host.read_access(path));
    if (response->status() != 200) {
      const Refusal refusal = read_refusal(*response);
      if (refusal.status == 404 && !means_no_api(refusal)) return std::nullopt;
      if (!means_no_api(refusal) || !seen.empty()) throw_refusal(refusal, asked);
      host.learned().no_referrers = true;
      return std::nullopt;
    }
    const std::size_t before = found.size();
    std::vector<image::Descriptor> listed = parse_page(host, *response, asked.subject);
    for (image::Descriptor& descriptor : listed) {
      if (seen.insert(descriptor.digest).second) found.push_back(std::move(descriptor));
    }
    if (found.size() > image::k_max_descriptors) {
      throw diag::UnsafeError(fmt::format("{} are more than {}", asked.subject, image::k_max_descriptors));
    }
    page = walk.next(response->head(), !listed.empty() && found.size() == before);
  }
  return found;
}

}  // namespace airgap::registry
