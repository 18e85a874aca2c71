#include "common/http/curl_client.hpp"

#include <fmt/format.h>

#include <utility>

#include "common/diag/log.hpp"
#include "common/http/address_rule.hpp"
#include "common/http/curl_transfer.hpp"
#include "common/http/lane_pool.hpp"
#include "common/text/escape.hpp"

namespace airgap::http {
namespace {

void check(const Request& request) {
  const Origin& origin = request.url.origin();
  if (origin.scheme == "http" && !request.allow_plain_http) {
    throw diag::UnsafeError(fmt::format("refused to speak plain http with {}", origin.str()),
                            fmt::format("if it is meant: --plain-http {}:{}", origin.host, origin.port));
  }
  // Also where a proxy would connect for us: at least an address in the URL can be judged here.
  if (request.addresses == AddressRule::public_only && !is_public_or_name(origin.host)) {
    throw diag::UnsafeError(
        fmt::format("refused to connect to the private address {}: it was not named by the user",
                    origin.host),
        private_address_hint(origin));
  }
}

void trace(const Request& request, const Response& response) {
  if (!diag::log_enabled("http", diag::LogLevel::debug)) return;
  diag::log("http", diag::LogLevel::debug,
            fmt::format("{} {}{} -> {}", name(request.method), request.url.origin().str(),
                        text::escape(request.url.path()), response.status()));
}

}  // namespace

CurlClient::CurlClient(CurlOptions options) : m_pool(std::make_shared<LanePool>(std::move(options))) {}

CurlClient::~CurlClient() = default;

std::unique_ptr<Response> CurlClient::send(const Request& request) {
  check(request);
  if (m_pool->options().stop.stop_requested()) throw diag::Interrupted();
  auto transfer = std::make_unique<CurlTransfer>(m_pool, request);
  transfer->await_head();
  trace(request, *transfer);
  return transfer;
}

}  // namespace airgap::http
