#include "common/http/origin_rule.hpp"

#include <doctest/doctest.h>

namespace airgap::http {
namespace {

bool may(const char* registry, const char* realm, bool realm_named = false, bool http_named = false) {
  return may_send_credentials(Url::parse(registry).origin(), Url::parse(realm).origin(), realm_named,
                              http_named);
}

}  // namespace

TEST_CASE("a registrable domain is shared within an organisation, not within a cloud") {
  CHECK(same_registrable_domain("registry-1.docker.io", "auth.docker.io"));
  CHECK(same_registrable_domain("registry.corp.internal", "auth.corp.internal"));
  CHECK(same_registrable_domain("localhost", "localhost"));
  CHECK(same_registrable_domain("10.0.0.1", "10.0.0.1"));
  CHECK_FALSE(same_registrable_domain("a.github.io", "b.github.io"));
  CHECK_FALSE(same_registrable_domain("a.co.uk", "b.co.uk"));
  CHECK_FALSE(same_registrable_domain("docker.io", "docker.io.evil.example"));
  CHECK_FALSE(same_registrable_domain("docker.io", "notdocker.io"));
  CHECK_FALSE(same_registrable_domain("com", "example.com"));
  CHECK_FALSE(same_registrable_domain("10.0.0.1", "11.0.0.1"));
  CHECK_FALSE(same_registrable_domain("1.2.0.1", "9.9.0.1"));
  CHECK_FALSE(same_registrable_domain("::1", "::2"));
  CHECK_FALSE(same_registrable_domain("registry", "auth"));
}

TEST_CASE("credentials go to the token server of the same organisation over https") {
  CHECK(may("https://registry-1.docker.io", "https://auth.docker.io/token"));
  CHECK(may("https://r.example:5000", "https://r.example:5001/token"));
  CHECK_FALSE(may("https://r.example", "https://evil.example2/token"));
  CHECK_FALSE(may("https://r.example", "http://r.example/token"));
  CHECK_FALSE(may("https://r.example", "http://auth.r.example/token"));
  CHECK(may("https://r.example", "https://tokens.other/", true));
  CHECK_FALSE(may("https://r.example", "http://tokens.other/", true));
  CHECK(may("https://r.example", "http://tokens.other/", true, true));
  CHECK(may("http://r.example:5000", "http://r.example:5000/token"));
  CHECK_FALSE(may("http://r.example:5000", "http://r.example:5001/token"));
  CHECK(may("http://r.example:5000", "http://r.example:5001/token", false, true));
}

}  // namespace airgap::http
