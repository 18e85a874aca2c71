#include "tests/unit/common/registry/registry_fixture.hpp"

namespace airgap::registry {
namespace {

using test::FakeAnswer;
using test::RegistryFixture;
using Lines = std::vector<std::string>;

const FakeAnswer k_broken{.error = [] { throw http::TransferError("no TLS here", false); }};
const FakeAnswer k_none{.body = R"({"tags":[]})"};
const std::string k_secure = "GET https://reg.example/v2/";
const std::string k_plain = "GET http://reg.example/v2/";
const std::string k_secure_tags = k_secure + "team/app/tags/list";
const std::string k_plain_tags = k_plain + "team/app/tags/list";

RegistryOptions insecure() {
  RegistryOptions options;
  options.hosts.insecure = {"reg.example"};
  return options;
}

TEST_CASE("without an option https is used, and never http") {
  RegistryFixture f;
  f.http.always(k_secure_tags, k_broken);
  CHECK_THROWS_AS(f.client.list_tags(f.repository), http::TransferError);
  CHECK(f.lines() == Lines{k_secure_tags});
  CHECK(f.request(0).tls->verify);
  CHECK(!f.request(0).allow_plain_http);
}

TEST_CASE("--plain-http uses http alone") {
  RegistryOptions options;
  options.hosts.plain_http = {"reg.example"};
  RegistryFixture f(options);
  f.http.always(k_plain_tags, k_none);
  f.client.list_tags(f.repository);
  CHECK(f.lines() == Lines{k_plain_tags});
  CHECK(f.request(0).allow_plain_http);
}

TEST_CASE("--insecure uses https without verification where the host speaks TLS") {
  RegistryFixture f(insecure());
  f.http.next(k_secure, {.status = 401}).always(k_secure_tags, k_none);
  f.client.list_tags(f.repository);
  f.client.list_tags(f.repository);
  CHECK(f.lines() == Lines{k_secure, k_secure_tags, k_secure_tags});
  CHECK(!f.request(1).tls->verify);
}

TEST_CASE("--insecure uses http where the host speaks no TLS") {
  RegistryFixture f(insecure());
  f.http.next(k_secure, k_broken).next(k_plain, {.status = 200}).always(k_plain_tags, k_none);
  f.client.list_tags(f.repository);
  f.client.list_tags(f.repository);
  CHECK(f.lines() == Lines{k_secure, k_plain, k_plain_tags, k_plain_tags});
  CHECK(!f.request(0).repeatable);
}

TEST_CASE("a host that answers plain http as a TLS server does stays with https") {
  for (const FakeAnswer& answer : {FakeAnswer{.status = 400}, FakeAnswer{.status = 502}, k_broken}) {
    RegistryFixture f(insecure());
    f.http.next(k_secure, k_broken)
        .next(k_plain, answer)
        .next(k_secure, {.status = 200})
        .always(k_secure_tags, k_none);
    f.client.list_tags(f.repository);
    CHECK(f.lines() == Lines{k_secure, k_plain, k_secure, k_secure_tags});
    CHECK(f.request(2).repeatable);
  }
}

}  // namespace
}  // namespace airgap::registry
