#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>

#include "common/http/client.hpp"

namespace airgap::http {

class LanePool;

struct CurlOptions {
  std::string user_agent{};
  std::chrono::seconds connect_timeout{15};
  /// Below 1 KiB/s for so long ends a transfer, headers included (R20). Only waiting for the other side
  /// counts.
  std::chrono::seconds stall_timeout{30};
  std::stop_token stop{};  ///< ends waiting at once
};

/// The one class that owns libcurl and all its options. Each transfer borrows a lane (a curl_multi with its
/// connections) from a pool and drives it on the calling thread; the lane last used is handed out first, so
/// connections stay hot. No redirects, no retries, no cookies, no netrc: decorators do the former.
class CurlClient : public Client {
 public:
  explicit CurlClient(CurlOptions options);
  ~CurlClient() override;
  std::unique_ptr<Response> send(const Request& request) override;

 private:
  std::shared_ptr<LanePool> m_pool;  // shared with the responses, which return their lanes to it
};

}  // namespace airgap::http
