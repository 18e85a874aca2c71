#pragma once

#include <curl/curl.h>

#include <array>
#include <memory>
#include <vector>

#include "common/http/curl_client.hpp"
#include "common/http/message.hpp"
#include "common/http/trust_store.hpp"
#include "common/raii/c_handle.hpp"
#include "common/task/guarded.hpp"

namespace airgap::http {

/// One curl_multi with its connections and DNS cache, and the easy handle that keeps its TLS sessions. Used
/// by one transfer at a time.
struct Lane {
  Lane();
  raii::CHandle<CURLM, curl_multi_cleanup> multi;  // declared first: the easy handle goes before it
  raii::CHandle<CURL, curl_easy_cleanup> easy;
};

/// Hands out lanes, the one last used first. Safe from any thread.
class LanePool {
 public:
  explicit LanePool(CurlOptions options);

  /// Lanes of `public_only` requests never meet a connection that was opened without that rule.
  std::unique_ptr<Lane> borrow(AddressRule rule);
  /// Where the transfer did not end well the easy handle is replaced: libcurl keeps what it had of it over a
  /// reset (its receive buffer after a host name that does not resolve, say) and then refuses options.
  void give_back(AddressRule rule, std::unique_ptr<Lane> lane, bool ended_well) noexcept;

  X509_STORE* trust_store(const std::vector<std::string>& ca_files);
  const CurlOptions& options() const noexcept { return m_options; }

 private:
  using Stack = std::vector<std::unique_ptr<Lane>>;
  CurlOptions m_options;
  task::Guarded<std::array<Stack, 2>> m_idle;  // by AddressRule
  task::Guarded<TrustStores> m_trust;
};

}  // namespace airgap::http
