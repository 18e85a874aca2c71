#include "common/http/curl_failure.hpp"

#include <doctest/doctest.h>
#include <openssl/x509_vfy.h>

#include <vector>

namespace airgap::http {
namespace {

struct Row {
  CURLcode code;
  const char* detail;
  long verify_result;
  bool retryable;
  const char* says;
  const char* hints;
};

}  // namespace

TEST_CASE("libcurl's failures are told in an operator's words") {
  const std::vector<Row> table{
      {CURLE_COULDNT_RESOLVE_HOST, "", 0, true, "cannot resolve the host name r.example", "DNS"},
      {CURLE_COULDNT_CONNECT, "Connection refused", 0, true, "cannot connect to https://r.example:5000", ""},
      {CURLE_OPERATION_TIMEDOUT, "", 0, true, "no connection to https://r.example:5000 within 15 seconds",
       "firewalls"},
      {CURLE_PEER_FAILED_VERIFICATION, "", X509_V_ERR_CERT_HAS_EXPIRED, false, "has expired",
       "clock says 20"},
      {CURLE_PEER_FAILED_VERIFICATION, "", X509_V_ERR_CERT_NOT_YET_VALID, false, "not valid yet",
       "clock says 20"},
      {CURLE_PEER_FAILED_VERIFICATION, "", X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, false, "unknown authority",
       "certs.d/r.example:5000"},
      {CURLE_PEER_FAILED_VERIFICATION, "", X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, false,
       "unknown authority", "--cert-dir"},
      {CURLE_PEER_FAILED_VERIFICATION,
       "SSL: no alternative certificate subject name matches target host name", 0, false, "for another host",
       "name that the certificate holds"},
      {CURLE_SSL_CONNECT_ERROR, "error:0A00010B:SSL routines::wrong version number", 0, false,
       "does not speak TLS", "--plain-http r.example:5000"},
      {CURLE_SSL_CONNECT_ERROR, "tlsv1 alert protocol version", 0, false, "no TLS version from 1.2", ""},
      {CURLE_SSL_CONNECT_ERROR, "sslv3 alert handshake failure", 0, false, "client certificate", "NAME.cert"},
      {CURLE_SSL_CONNECT_ERROR, "error:06880006:asn1 encoding routines::EVP lib", 1, false,
       "bears the name of an authority", "present certificate"},
      {CURLE_SSL_CONNECT_ERROR, "Connection reset by peer", 0, true,
       "handshake with https://r.example:5000 failed", ""},
      {CURLE_RECV_ERROR, "tlsv13 alert certificate required", 0, false, "client certificate", "NAME.key"},
      {CURLE_RECV_ERROR, "Connection reset by peer", 0, true, "got 3 of 10 bytes", ""},
      {CURLE_PARTIAL_FILE, "", 0, true, "got 3 of 10 bytes", ""},
      {CURLE_GOT_NOTHING, "", 0, true, "got 3 of 10", ""},
      {CURLE_WEIRD_SERVER_REPLY, "Invalid Content-Length: value", 0, false, "ambiguous length", ""},
      {CURLE_UNSUPPORTED_PROTOCOL, "Received HTTP/0.9 when not allowed", 0, false,
       "does not answer as an HTTP", ""},
      {CURLE_SSL_CERTPROBLEM, "could not load PEM", 0, false, "client certificate", ".key"},
  };
  for (const Row& row : table) {
    CAPTURE(row.says);
    const TransferError error = describe({.code = row.code,
                                          .detail = row.detail,
                                          .verify_result = row.verify_result,
                                          .connect_seconds = 15,
                                          .origin = {"https", "r.example", 5000},
                                          .proxy = {},
                                          .received = 3,
                                          .expected = 10});
    CHECK(error.message().find(row.says) != std::string::npos);
    CHECK(error.hint().find(row.hints) != std::string::npos);
    CHECK(error.retryable() == row.retryable);
  }
}

TEST_CASE("a failure behind a proxy names the proxy") {
  CurlFailure failure{.detail = "CONNECT tunnel failed, response 407",
                      .origin = {"https", "r.example", 443},
                      .proxy = "proxy.example:3128",
                      .expected = {}};
  failure.code = CURLE_RECV_ERROR;
  failure.proxy_status = 407;
  CHECK_THROWS_WITH_AS(throw describe(failure), doctest::Contains("proxy.example:3128 asks for credentials"),
                       TransferError);
  failure.proxy_status = 403;
  CHECK_THROWS_WITH_AS(throw describe(failure),
                       doctest::Contains("refuses to connect to r.example:443 (status 403)"), TransferError);
  failure.code = CURLE_COULDNT_RESOLVE_PROXY;
  CHECK_THROWS_WITH_AS(throw describe(failure), doctest::Contains("name of the proxy proxy.example:3128"),
                       TransferError);
  failure.code = CURLE_COULDNT_CONNECT;
  failure.proxy_status = 0;
  CHECK_THROWS_WITH_AS(throw describe(failure), doctest::Contains("proxy proxy.example:3128 failed"),
                       TransferError);
}

TEST_CASE("what a server makes libcurl say is escaped") {
  const TransferError error = describe({.code = CURLE_WEIRD_SERVER_REPLY,
                                        .detail = "\x1b[31mred",
                                        .origin = {"https", "h", 443},
                                        .proxy = {},
                                        .expected = {}});
  CHECK(error.message().find('\x1b') == std::string::npos);
}

}  // namespace airgap::http
