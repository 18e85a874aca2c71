#include <fmt/format.h>

#include <optional>

#include "common/registry/api_error.hpp"
#include "common/registry/endpoints.hpp"
#include "common/registry/manifest_requests.hpp"
#include "common/registry/reply.hpp"

namespace airgap::registry {
namespace {

// Nothing once it is gone, by us or by somebody else.
std::optional<Refusal> try_delete(HostSession& host, const std::string& path, std::string_view reference) {
  const auto response = host.send(
      host.request(http::Method::delete_, manifest_url(host.origin(), path, reference)), {path, true});
  refuse_web_page(host.registry(), *response);
  const int status = response->status();
  if ((status >= 200 && status < 300) || status == 404) {
    drain(*response);
    return std::nullopt;
  }
  return read_refusal(*response);
}

Asked asked_to_delete(const HostSession& host, const std::string& path, std::string_view subject) {
  return {.action = Asked::Action::remove,
          .registry = host.registry(),
          .repository = path,
          .subject = fmt::format("the deletion of {}", subject)};
}

// How registries say that they delete manifests by digest alone, or nothing at all.
bool deletes_no_tags(int status) {
  return status == 400 || status == 405 || status == 415 || status == 501;
}

}  // namespace

bool delete_tag(HostSession& host, const std::string& path, std::string_view tag) {
  const auto refusal = try_delete(host, path, tag);
  if (!refusal) return true;
  if (deletes_no_tags(refusal->status)) return false;
  throw_refusal(*refusal, asked_to_delete(host, path, fmt::format("{}:{}", path, tag)));
}

void delete_manifest(HostSession& host, const std::string& path, const hash::Digest& digest) {
  const auto refusal = try_delete(host, path, digest.str());
  if (refusal) {
    throw_refusal(*refusal, asked_to_delete(host, path, fmt::format("{}@{}", path, digest.str())));
  }
}

}  // namespace airgap::registry
