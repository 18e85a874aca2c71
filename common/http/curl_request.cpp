#include "common/http/curl_request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <new>

#include "common/diag/error.hpp"
#include "common/text/escape.hpp"

namespace airgap::http {
namespace {

bool is_upload(Method method) {
  return method == Method::post || method == Method::put || method == Method::patch;
}

void check_field(const std::string& field, const std::string& value) {
  const auto breaks = [](char c) { return c == '\r' || c == '\n' || c == '\0'; };
  if (field.empty() || std::any_of(field.begin(), field.end(), breaks) ||
      std::any_of(value.begin(), value.end(), breaks)) {
    throw diag::UnsafeError(fmt::format("the value for the request header \"{}\" holds a line break or NUL",
                                        text::escape(field, 60)));
  }
}

void append(HeaderList& list, const std::string& line) {
  curl_slist* grown = curl_slist_append(list.get(), line.c_str());
  if (grown == nullptr) throw std::bad_alloc();
  static_cast<void>(list.release());
  list.reset(grown);
}

HeaderList header_list(const Headers& headers) {
  HeaderList list;
  for (const auto& [field, value] : headers.fields()) {
    check_field(field, value);
    append(list, value.empty() ? field + ";" : fmt::format("{}: {}", field, value));
  }
  append(list, "Expect:");  // no 100-continue: registries answer early enough or not at all
  if (!headers.find("Accept")) append(list, "Accept:");
  return list;
}

void apply_method(CURL* easy, const Request& request) {
  if (request.method == Method::head) {
    set_option(easy, CURLOPT_NOBODY, 1L);
  } else if (is_upload(request.method)) {
    set_option(easy, CURLOPT_UPLOAD, 1L);
    const std::uint64_t size = request.open_body ? request.body_size : 0;
    set_option(easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(size));
    set_option(easy, CURLOPT_UPLOAD_BUFFERSIZE, k_send_buffer);
    set_option(easy, CURLOPT_CUSTOMREQUEST, name(request.method).data());
  } else {
    set_option(easy, CURLOPT_HTTPGET, 1L);
    set_option(easy, CURLOPT_CUSTOMREQUEST, name(request.method).data());
  }
}

void apply_tls(CURL* easy, const TlsSettings& tls) {
  set_option(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set_option(easy, CURLOPT_SSL_VERIFYPEER, tls.verify ? 1L : 0L);
  set_option(easy, CURLOPT_SSL_VERIFYHOST, tls.verify ? 2L : 0L);
  // The authorities come from the shared trust store (CURLOPT_SSL_CTX_FUNCTION), not from a load for each
  // connection.
  for (const CURLoption option :
       {CURLOPT_CAINFO, CURLOPT_CAPATH, CURLOPT_PROXY_CAINFO, CURLOPT_PROXY_CAPATH}) {
    set_option(easy, option, static_cast<const char*>(nullptr));
  }
  if (!tls.client_certificate.empty()) set_option(easy, CURLOPT_SSLCERT, tls.client_certificate.c_str());
  if (!tls.client_key.empty()) set_option(easy, CURLOPT_SSLKEY, tls.client_key.c_str());
}

void apply_connection(CURL* easy, const CurlOptions& options, const std::optional<Proxy>& proxy) {
  set_option(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set_option(easy, CURLOPT_HTTP09_ALLOWED, 0L);
  set_option(easy, CURLOPT_NOSIGNAL, 1L);
  set_option(easy, CURLOPT_QUICK_EXIT, 1L);  // a resolver that hangs does not hold up a stop
  set_option(easy, CURLOPT_TCP_NODELAY, 1L);
  set_option(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  set_option(easy, CURLOPT_CONNECTTIMEOUT_MS,
             static_cast<long>(std::chrono::milliseconds(options.connect_timeout).count()));
  set_option(easy, CURLOPT_PROXY,
             proxy ? proxy->url.c_str() : "");  // "" also keeps curl from its own look-up
  set_option(easy, CURLOPT_NOPROXY, "");
  set_option(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

}  // namespace

void refuse_option(CURLoption option, CURLcode code) {
  throw diag::InternalError(
      fmt::format("libcurl refuses its option {}: {}", static_cast<int>(option), curl_easy_strerror(code)));
}

HeaderList apply_request(CURL* easy, const Request& request, const CurlOptions& options,
                         const std::optional<Proxy>& proxy) {
  const std::string url = request.url.str();
  set_option(easy, CURLOPT_URL, url.c_str());
  set_option(easy, CURLOPT_PATH_AS_IS, 1L);
  set_option(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  set_option(easy, CURLOPT_PROTOCOLS_STR, request.url.origin().scheme.c_str());
  set_option(easy, CURLOPT_FOLLOWLOCATION, 0L);
  set_option(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
  set_option(easy, CURLOPT_BUFFERSIZE, k_receive_buffer);
  if (!options.user_agent.empty()) set_option(easy, CURLOPT_USERAGENT, options.user_agent.c_str());
  apply_method(easy, request);
  apply_tls(easy, request.tls ? *request.tls : TlsSettings{});
  apply_connection(easy, options, proxy);
  HeaderList headers = header_list(request.headers);
  set_option(easy, CURLOPT_HTTPHEADER, headers.get());
  return headers;
}

}  // namespace airgap::http
