#pragma once

#include <curl/curl.h>

#include <cstdint>
#include <optional>
#include <string>

#include "common/http/client.hpp"
#include "common/http/url.hpp"

namespace airgap::http {

/// All that is known of a transfer that broke.
struct CurlFailure {
  CURLcode code = CURLE_OK;
  std::string detail{};      ///< libcurl's error buffer: foreign text may be in it
  long verify_result = 0;    ///< of the certificate, X509_V_ERR_*
  long proxy_status = 0;     ///< of a refused CONNECT
  long connect_seconds = 0;  ///< the time limit
  Origin origin{};
  std::string proxy{};  ///< "host:port", empty for none
  std::uint64_t received = 0;
  std::optional<std::uint64_t> expected{};  ///< Content-Length
};

/// The failure in an operator's words, and whether another attempt may help (R1, R6, R7, R63-R65, R137).
TransferError describe(const CurlFailure& failure);

}  // namespace airgap::http
