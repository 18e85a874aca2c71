#include "common/http/curl_failure.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/x509_vfy.h>

#include <chrono>
#include <ctime>

#include "common/text/escape.hpp"

namespace airgap::http {
namespace {

std::string local_time() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  return fmt::format("{:%Y-%m-%d %H:%M} UTC", fmt::gmtime(now));
}

bool says(const CurlFailure& failure, std::string_view words) {
  return failure.detail.find(words) != std::string::npos;
}

std::string detail_of(const CurlFailure& failure) {
  return text::escape(failure.detail.empty() ? curl_easy_strerror(failure.code) : failure.detail);
}

std::string host_port(const Origin& origin) {
  return fmt::format("{}:{}", origin.host, origin.port);
}

TransferError proxy_error(const CurlFailure& failure) {
  if (failure.code == CURLE_COULDNT_RESOLVE_PROXY) {
    return {fmt::format("cannot resolve the name of the proxy {}", failure.proxy), true,
            "check https_proxy, http_proxy and no_proxy in the environment"};
  }
  if (failure.proxy_status == 407) {
    return {fmt::format("the proxy {} asks for credentials (407)", failure.proxy), false,
            "put them into the proxy variable: https_proxy=http://USER:PASSWORD@HOST:PORT"};
  }
  if (failure.proxy_status != 0) {
    return {fmt::format("the proxy {} refuses to connect to {} (status {})", failure.proxy,
                        host_port(failure.origin), failure.proxy_status),
            failure.proxy_status >= 500, "name the host in no_proxy if it is reached directly"};
  }
  return {fmt::format("the proxy {} failed: {}", failure.proxy, detail_of(failure)), true,
          "check https_proxy, http_proxy and no_proxy in the environment, and whether the proxy runs"};
}

/// The certificate was judged and found wanting.
TransferError certificate_error(const CurlFailure& failure) {
  const std::string host = failure.origin.str();
  switch (failure.verify_result) {
    case X509_V_ERR_CERT_NOT_YET_VALID:
    case X509_V_ERR_CERT_HAS_EXPIRED: {
      const bool expired = failure.verify_result == X509_V_ERR_CERT_HAS_EXPIRED;
      return {fmt::format("the certificate of {} {}", host, expired ? "has expired" : "is not valid yet"),
              false,
              fmt::format("this machine's clock says {}; set it if it is wrong, else renew the certificate",
                          local_time())};
    }
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return {
          fmt::format("the certificate of {} is signed by an unknown authority ({})", host,
                      X509_verify_cert_error_string(failure.verify_result)),
          false,
          fmt::format(
              "put the authority's certificate (PEM, NAME.crt) into certs.d/{} or the folder of --cert-dir",
              host_port(failure.origin))};
    default:
      break;
  }
  if (says(failure, "subject name") || says(failure, "does not match")) {
    return {fmt::format("the certificate of {} is for another host: {}", host, detail_of(failure)), false,
            "use a name that the certificate holds"};
  }
  return {fmt::format("the certificate of {} is not accepted: {}", host, detail_of(failure)), false};
}

/// The handshake broke before a certificate was judged.
TransferError handshake_error(const CurlFailure& failure) {
  const std::string host = failure.origin.str();
  for (const std::string_view words :
       {"wrong version number", "packet length too long", "http request", "record layer failure"}) {
    if (says(failure, words)) {
      return {fmt::format("{} does not speak TLS; it may be a plain http server", host), false,
              fmt::format("if plain http is meant: --plain-http {}", host_port(failure.origin))};
    }
  }
  for (const std::string_view words : {"certificate required", "bad certificate", "handshake failure"}) {
    if (says(failure, words)) {
      return {fmt::format("{} refused the TLS handshake, probably for want of a client certificate: {}", host,
                          detail_of(failure)),
              false,
              fmt::format("put NAME.cert and NAME.key into certs.d/{} or the folder of --cert-dir",
                          host_port(failure.origin))};
    }
  }
  for (const std::string_view words : {"unsupported protocol", "protocol version"}) {
    if (says(failure, words)) return {fmt::format("{} offers no TLS version from 1.2 on", host), false};
  }
  // An authority made anew under its old name: libcurl tells the broken signature, and no verdict.
  for (const std::string_view words : {"asn1 encoding routines", "rsa routines"}) {
    if (says(failure, words)) {
      return {
          fmt::format("the certificate of {} bears the name of an authority that is trusted here, and not "
                      "its signature: {}",
                      host, detail_of(failure)),
          false,
          fmt::format("put the authority's present certificate (PEM, NAME.crt) into certs.d/{} or the "
                      "folder of --cert-dir",
                      host_port(failure.origin))};
    }
  }
  return {fmt::format("the TLS handshake with {} failed: {}", host, detail_of(failure)), true};
}

TransferError broken_body(const CurlFailure& failure) {
  if (failure.expected && failure.received < *failure.expected) {
    return {fmt::format("the transfer from {} was cut: got {} of {} bytes", failure.origin.str(),
                        failure.received, *failure.expected),
            true};
  }
  return {fmt::format("the transfer from {} broke after {} bytes: {}", failure.origin.str(), failure.received,
                      detail_of(failure)),
          true};
}

TransferError no_answer(const CurlFailure& failure) {
  const std::string host = failure.origin.str();
  switch (failure.code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return {fmt::format("cannot resolve the host name {}", failure.origin.host), true,
              "check the name and this machine's DNS"};
    case CURLE_COULDNT_CONNECT:
      return {fmt::format("cannot connect to {}: {}", host, detail_of(failure)), true,
              "check the address and the port, and whether the server runs"};
    case CURLE_OPERATION_TIMEDOUT:
      return {fmt::format("no connection to {} within {} seconds", host, failure.connect_seconds), true,
              "check the address, firewalls and proxy settings"};
    case CURLE_WEIRD_SERVER_REPLY:
      if (says(failure, "Content-Length")) {
        return {fmt::format("the answer of {} has an ambiguous length: {}", host, detail_of(failure)), false};
      }
      return {fmt::format("{} does not answer as an HTTP server: {}", host, detail_of(failure)), false};
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_OUT_OF_MEMORY:  // a header line over the cap of libcurl 7.88
      return {fmt::format("{} does not answer as an HTTP server: {}", host, detail_of(failure)), false};
    default:
      return broken_body(failure);
  }
}

}  // namespace

TransferError describe(const CurlFailure& failure) {
  switch (failure.code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY:
      return proxy_error(failure);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
      return certificate_error(failure);
    case CURLE_SSL_CONNECT_ERROR:
      return handshake_error(failure);
    case CURLE_SSL_CERTPROBLEM:
      return {fmt::format("the client certificate for {} cannot be used: {}", failure.origin.str(),
                          detail_of(failure)),
              false, "check the .cert and .key files of this host"};
    case CURLE_RECV_ERROR:
      if (!failure.proxy.empty() && failure.proxy_status >= 300) return proxy_error(failure);
      if (says(failure, "certificate required") || says(failure, "alert bad certificate"))
        return handshake_error(failure);
      return broken_body(failure);
    case CURLE_COULDNT_CONNECT:
      if (!failure.proxy.empty()) return proxy_error(failure);
      return no_answer(failure);
    default:
      return no_answer(failure);
  }
}

}  // namespace airgap::http
