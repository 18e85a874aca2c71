#include "common/http/redirecting_client.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "common/http/address_rule.hpp"
#include "common/text/escape.hpp"

namespace airgap::http {
namespace {

constexpr int k_most_hops = 5;  // R27

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

void strip_credentials(Headers& headers) {
  std::vector<std::string> doomed{"Authorization", "Proxy-Authorization", "Cookie"};
  for (const auto& [name, value] : headers.fields()) {
    if (name.starts_with("X-") || name.starts_with("x-")) doomed.push_back(name);
  }
  for (const std::string& name : doomed) headers.remove(name);
}

/// Was the first origin itself inside? Then its redirects may stay inside.
bool starts_inside(const Request& request, const ResponseHead& head) {
  return !is_public_or_name(head.remote_address) || !is_public_or_name(request.url.origin().host);
}

Url target_of(const ResponseHead& head) {
  const auto location = head.headers.find("Location");
  if (!location) {
    throw TransferError(
        fmt::format("{} redirects (status {}) without saying where to", head.url.origin().str(), head.status),
        false);
  }
  Url target = head.url.resolve(*location);
  if (head.url.origin().scheme == "https" && target.origin().scheme == "http") {
    throw diag::UnsafeError(fmt::format("{} redirects from https to plain http at {}",
                                        head.url.origin().str(), target.origin().str()));
  }
  return target;
}

}  // namespace

RedirectingClient::RedirectingClient(Client& inner, OriginLookup lookup)
    : m_inner(inner), m_lookup(std::move(lookup)) {}

std::unique_ptr<Response> RedirectingClient::send(const Request& request) {
  auto response = m_inner.send(request);
  if (request.method != Method::get && request.method != Method::head) return response;
  Request next = request;
  const bool inside = starts_inside(request, response->head());
  for (int hop = 0; is_redirect(response->status()); ++hop) {
    if (hop == k_most_hops) {
      throw TransferError(
          fmt::format("{} redirects more than {} times", request.url.origin().str(), k_most_hops), false);
    }
    Url target = target_of(response->head());
    response.reset();
    if (target.origin() != next.url.origin()) {
      strip_credentials(next.headers);  // they do not come back on a later hop
      OriginSettings settings = m_lookup(target.origin());
      next.tls = std::move(settings.tls);
      next.allow_plain_http = settings.allow_plain_http;
      const bool first = target.origin() == request.url.origin();
      next.addresses = settings.named || inside || (first && request.addresses == AddressRule::any)
                           ? AddressRule::any
                           : AddressRule::public_only;
    }
    next.url = std::move(target);
    diag::with_context([&] { return fmt::format("following a redirect of {}", request.url.origin().str()); },
                       [&] { response = m_inner.send(next); });
  }
  return response;
}

}  // namespace airgap::http
