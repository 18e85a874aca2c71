#include "common/http/lane_pool.hpp"

#include <fmt/format.h>

#include <new>
#include <utility>

#include "common/diag/error.hpp"

namespace airgap::http {
namespace {

constexpr long k_connections_per_lane = 4;  // registry, token server, two storage hosts

void start_curl() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK) {
    throw diag::InternalError(fmt::format("libcurl does not start: {}", curl_easy_strerror(code)));
  }
}

}  // namespace

Lane::Lane() : multi(curl_multi_init()), easy(curl_easy_init()) {
  if (!multi || !easy) throw std::bad_alloc();
  curl_multi_setopt(multi.get(), CURLMOPT_MAXCONNECTS, k_connections_per_lane);
}

LanePool::LanePool(CurlOptions options) : m_options(std::move(options)) {
  start_curl();
}

std::unique_ptr<Lane> LanePool::borrow(AddressRule rule) {
  auto lane = m_idle.with([rule](auto& idle) {
    Stack& stack = idle[static_cast<std::size_t>(rule)];
    if (stack.empty()) return std::unique_ptr<Lane>();
    auto top = std::move(stack.back());
    stack.pop_back();
    return top;
  });
  if (!lane) return std::make_unique<Lane>();
  curl_easy_reset(lane->easy.get());
  return lane;
}

void LanePool::give_back(AddressRule rule, std::unique_ptr<Lane> lane, bool ended_well) noexcept {
  if (!ended_well) lane->easy.reset(curl_easy_init());
  if (!lane->easy) return;
  try {
    m_idle.with([&](auto& idle) { idle[static_cast<std::size_t>(rule)].push_back(std::move(lane)); });
  } catch (const std::bad_alloc&) {
    lane.reset();  // its connections close
  }
}

X509_STORE* LanePool::trust_store(const std::vector<std::string>& ca_files) {
  return m_trust.with([&](TrustStores& stores) { return stores.with(ca_files); });
}

}  // namespace airgap::http
