#include "common/http/proxy_choice.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>

#include "common/diag/error.hpp"

namespace airgap::http {
namespace {

using Variables = std::map<std::string, std::string>;

std::string chosen(const char* url, const Variables& variables) {
  const auto proxy = proxy_for(Url::parse(url).origin(), [&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::string() : found->second;
  });
  return proxy ? proxy->shown : "none";
}

bool exempt(const char* url, const char* list) {
  return is_exempt(Url::parse(url).origin(), list);
}

}  // namespace

TEST_CASE("the proxy of a scheme comes from its variable, in curl's order") {
  CHECK(chosen("https://h/", {}) == "none");
  CHECK(chosen("https://h/", {{"https_proxy", "http://p:3128"}, {"HTTPS_PROXY", "http://q:1"}}) == "p:3128");
  CHECK(chosen("https://h/", {{"HTTPS_PROXY", "http://q:1"}}) == "q:1");
  CHECK(chosen("https://h/", {{"ALL_PROXY", "socks5h://s:1080"}}) == "s:1080");
  CHECK(chosen("http://h/", {{"http_proxy", "p:3128"}}) == "p:3128");
  CHECK(chosen("http://h/", {{"HTTP_PROXY", "http://p:3128"}}) == "p:3128");
  CHECK(chosen("http://h/", {{"HTTP_PROXY", "http://p:3128"}, {"REQUEST_METHOD", "GET"}}) == "none");
  CHECK(chosen("http://h/", {{"https_proxy", "http://p:3128"}}) == "none");
  CHECK(chosen("https://h/", {{"https_proxy", "http://p:3128"}, {"no_proxy", "h"}}) == "none");
}

TEST_CASE("a proxy is shown without its credentials") {
  CHECK(chosen("https://h/", {{"https_proxy", "http://user:secret@p:3128"}}) == "p:3128");
}

TEST_CASE("a proxy that is none is a configuration error which names the variable, not its value") {
  for (const char* value :
       {"file:///x", "socks4://p:1", "ftp://user:secret@p/", "http://", "http://p:99999"}) {
    CAPTURE(value);
    CHECK_THROWS_WITH_AS(chosen("https://h/", {{"https_proxy", value}}), doctest::Contains("https_proxy"),
                         diag::UsageError);
    try {
      chosen("https://h/", {{"https_proxy", value}});
    } catch (const diag::Error& error) {
      CHECK(error.message().find("secret") == std::string::npos);
    }
  }
}

TEST_CASE("no_proxy names hosts, domains, addresses, networks and ports") {
  CHECK(exempt("https://a.example/", "*"));
  CHECK(exempt("https://a.example/", "b,a.example"));
  CHECK(exempt("https://a.example/", "b a.example"));
  CHECK(exempt("https://a.example/", ".example"));
  CHECK(exempt("https://a.example/", "EXAMPLE"));
  CHECK(exempt("https://example/", ".example"));
  CHECK(exempt("http://10.1.2.3/", "10.0.0.0/8"));
  CHECK(exempt("http://10.1.2.3/", "10.1.2.3"));
  CHECK(exempt("http://[fd00::5]/", "fd00::/8"));
  CHECK(exempt("http://[::1]:5000/", "::1"));
  CHECK(exempt("http://[::1]:5000/", "[::1]:5000"));
  CHECK(exempt("http://h:5000/", "h:5000"));
  CHECK_FALSE(exempt("http://h:5001/", "h:5000"));
  CHECK_FALSE(exempt("https://badexample/", "example"));
  CHECK_FALSE(exempt("https://a.example/", ""));
  CHECK_FALSE(exempt("https://a.example/", " , ."));
  CHECK_FALSE(exempt("http://11.1.2.3/", "10.0.0.0/8"));
  CHECK_FALSE(exempt("http://10.1.2.3/", "10.0.0.0/99"));
  CHECK_FALSE(exempt("http://10.128.0.0/", "10.0.0.0/9"));
  CHECK_FALSE(exempt("https://a.example/", "a.*"));
}

}  // namespace airgap::http
