#pragma once

#include <curl/curl.h>

#include <memory>
#include <optional>

#include "common/http/curl_client.hpp"
#include "common/http/message.hpp"
#include "common/http/proxy_choice.hpp"
#include "common/raii/c_handle.hpp"

namespace airgap::http {

/// What libcurl reads into before it hands bytes on, and what it sends from, in bytes.
inline constexpr long k_receive_buffer = 64L * 1024;
inline constexpr long k_send_buffer = 512L * 1024;

using HeaderList = raii::CHandle<curl_slist, curl_slist_free_all>;

/// Sets every option of a request on an easy handle but the callbacks. Returns the header list, which the
/// handle borrows. Throws UnsafeError for a header that would break out of its line.
HeaderList apply_request(CURL* easy, const Request& request, const CurlOptions& options,
                         const std::optional<Proxy>& proxy);

/// curl_easy_setopt, or InternalError.
template <class Value>
void set_option(CURL* easy, CURLoption option, Value value);

[[noreturn]] void refuse_option(CURLoption option, CURLcode code);

template <class Value>
void set_option(CURL* easy, CURLoption option, Value value) {
  const CURLcode code = curl_easy_setopt(easy, option, value);
  if (code != CURLE_OK) refuse_option(option, code);
}

}  // namespace airgap::http
