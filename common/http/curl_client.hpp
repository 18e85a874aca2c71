#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>

#include "common/http/client.hpp"

namespace airgap::http {

struct CurlOptions {
  std::string user_agent;
  std::chrono::seconds connect_timeout{15};
  std::chrono::seconds stall_timeout{30};  ///< below 1 KiB/s for so long ends a transfer, headers included (R20)
  std::stop_token stop;                    ///< ends waiting within 200 ms
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
  class Pool;
  class Transfer;
  std::shared_ptr<Pool> m_pool;
};

}  // namespace airgap::http
