#include "common/registry/host_session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/diag/error.hpp"
#include "common/diag/log.hpp"
#include "common/registry/endpoints.hpp"
#include "common/registry/realm_rule.hpp"
#include "common/registry/reply.hpp"
#include "common/text/escape.hpp"

namespace airgap::registry {
namespace {

constexpr std::size_t k_max_warnings = 64;  // of one host
constexpr std::size_t k_max_warning = std::size_t{4} << 10;
constexpr std::size_t k_repeats_at_mirror = 1;

}  // namespace

HostSession::HostSession(SessionKey key, const SessionParts& parts)
    : m_key(std::move(key)),
      m_parts(parts),
      m_config(host_config(parts.options.hosts, m_key.registry, m_key.insecure)),
      m_authorizer(m_key.registry, parts.transport, parts.credentials, parts.tokens) {}

http::Origin HostSession::origin() {
  const std::scoped_lock lock(m_origin_mutex);
  if (!m_origin) m_origin = find_origin();
  return *m_origin;
}

http::Origin HostSession::find_origin() {
  const std::string host = api_host(registry());
  http::Origin secure = origin_of("https", host);
  http::Origin plain = origin_of("http", host);
  if (m_config.plain_http_only) return plain;
  if (!m_config.may_fall_back_to_http) return secure;
  try {
    if (answers_at(secure, false)) return secure;
  } catch (const http::TransferError&) {
    try {
      if (answers_at(plain, false)) {
        warn_once(fmt::format("{} speaks no TLS; plain http is used, as {} allows", registry(),
                              m_key.insecure ? "registries.conf" : "--insecure"));
        return plain;
      }
    } catch (const http::TransferError&) {  // neither: https gets its repeats, and its error is the one that
                                            // is told
    }
  }
  answers_at(secure, true);
  return secure;
}

// A TLS server answers plain http with 400, so that is no registry's answer.
bool HostSession::answers_at(const http::Origin& origin, bool repeatable) {
  http::Request ping{.url = base_url(origin)};
  ping.tls = m_config.tls;
  ping.allow_plain_http = origin.scheme == "http";
  ping.repeatable = repeatable;
  if (m_key.mirror) ping.most_repeats = k_repeats_at_mirror;
  const auto answer = m_parts.transport.send(ping);
  drain(*answer);
  return answer->status() != 400 && answer->status() < 500 &&
         answer->head().url.origin().scheme == origin.scheme;
}

http::RetryPolicy HostSession::retry() const {
  http::RetryPolicy policy = m_parts.options.retry;
  if (m_key.mirror) policy.repeats = std::min(policy.repeats, k_repeats_at_mirror);
  return policy;
}

http::Request HostSession::request(http::Method method, const http::Url& url) {
  http::Request request{.method = method, .url = url};
  if (m_key.mirror) request.most_repeats = k_repeats_at_mirror;
  const http::Origin own = origin();
  if (url.origin() == own) {
    request.tls = m_config.tls;
    request.allow_plain_http = own.scheme == "http";
    return request;
  }
  http::OriginSettings settings = m_parts.lookup(url.origin());
  request.tls = std::move(settings.tls);
  request.allow_plain_http = settings.allow_plain_http;
  request.addresses = address_rule({registry(), own, m_authorizer.inside()}, url.origin(), settings.named);
  return request;
}

std::unique_ptr<http::Response> HostSession::send(http::Request request, const Access& access) {
  if (request.url.origin() != origin()) return m_parts.transport.send(request);
  auto response = m_authorizer.send(std::move(request), access);
  take_notice(response->head());
  return response;
}

void HostSession::take_notice(const http::ResponseHead& head) {
  if (head.headers.find("Docker-Distribution-Api-Version")) m_learned.is_registry = true;
  for (const std::string& warning : head.headers.all("Warning")) {
    warn_once(fmt::format("{} says: {}", registry(), text::escape(warning, k_max_warning)));
  }
}

void HostSession::expect_push(const std::string& path) {
  m_pushed_to.with([&](auto& paths) { paths.insert(path); });
}

Access HostSession::read_access(const std::string& path) const {
  return {path, m_pushed_to.with([&](const auto& paths) { return paths.contains(path); })};
}

void HostSession::keep_upload(const std::string& key, const http::Url& location) {
  m_uploads.with([&](auto& uploads) { uploads.insert_or_assign(key, location); });
}

std::optional<http::Url> HostSession::take_upload(const std::string& key) {
  return m_uploads.with([&](auto& uploads) {
    auto node = uploads.extract(key);
    return node.empty() ? std::nullopt : std::optional(node.mapped());
  });
}

void HostSession::require_registry() {
  if (m_learned.is_registry) return;
  const auto answer = m_parts.transport.send(request(http::Method::get, base_url(origin())));
  refuse_web_page(registry(), *answer);
  drain(*answer);
  m_learned.is_registry = true;
}

void HostSession::warn_once(const std::string& text) {
  const bool is_new = m_warned.with(
      [&](auto& warned) { return warned.size() < k_max_warnings && warned.insert(text).second; });
  if (is_new) diag::log("registry", diag::LogLevel::warning, text);
}

}  // namespace airgap::registry
