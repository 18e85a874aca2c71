#include "common/registry/authorizer.hpp"

#include "common/text/base64.hpp"
#include "tests/unit/common/registry/registry_fixture.hpp"

namespace airgap::registry {
namespace {

using test::error_of;
using test::FakeAnswer;
using test::RegistryFixture;

const std::string k_tags = "GET https://reg.example/v2/team/app/tags/list";
const std::string k_token = "GET https://auth.example/token?service=reg&scope=repository%3Ateam%2Fapp%3Apull";
const FakeAnswer k_none{.status = 200, .body = R"({"tags":[]})"};

FakeAnswer challenged(std::string challenge) {
  return {.status = 401, .headers = {{"WWW-Authenticate", std::move(challenge)}}};
}
const FakeAnswer k_bearer = challenged(R"(Bearer realm="https://auth.example/token",service="reg")");

FakeAnswer token(std::string value, std::string rest = R"(,"expires_in":300)") {
  return {.status = 200, .body = "{\"token\":\"" + value + "\"" + rest + "}"};
}

std::map<std::string, Credential> user() {
  return {{"reg.example", {"me", "p:w", ""}}};
}

TEST_CASE("an anonymous token is fetched once and used from the first request of the next call on") {
  RegistryFixture f;
  f.http.next(k_tags, k_bearer).always(k_tags, k_none).next(k_token, token("T1"));
  f.client.list_tags(f.repository);
  f.client.list_tags(f.repository);
  CHECK(f.lines() == std::vector<std::string>{k_tags, k_token, k_tags, k_tags});
  CHECK(f.request(1).header("Authorization").empty());
  CHECK(f.request(2).header("Authorization") == "Bearer T1");
  CHECK(f.request(3).header("Authorization") == "Bearer T1");
}

TEST_CASE("tokens are renewed before they expire, by our own clock (R12, R13)") {
  struct Row {
    const char* rest;
    int good_for;  // seconds
    int expired_after;
  };
  for (const Row& row : {Row{R"(,"expires_in":300,"issued_at":"1999-01-01T00:00:00Z")", 284, 286},
                         Row{"", 44, 46}, Row{R"(,"expires_in":-5)", 44, 46},
                         Row{R"(,"expires_in":0)", 44, 46}, Row{R"(,"expires_in":20)", 14, 16}}) {
    CAPTURE(row.rest);
    RegistryFixture f;
    f.http.next(k_tags, k_bearer)
        .always(k_tags, k_none)
        .next(k_token, token("T1", row.rest))
        .next(k_token, token("T2"));
    f.client.list_tags(f.repository);
    f.clock.advance(std::chrono::seconds(row.good_for));
    f.client.list_tags(f.repository);
    CHECK(f.request(3).header("Authorization") == "Bearer T1");
    f.clock.advance(std::chrono::seconds(row.expired_after - row.good_for));
    f.client.list_tags(f.repository);
    CHECK(f.request(5).header("Authorization") == "Bearer T2");
  }
}

TEST_CASE("a user's token request carries Basic, and access_token does as well") {
  RegistryFixture f({}, user());
  const std::string line =
      "GET https://auth.reg.example/t?account=me&service=reg&scope=repository%3Ateam%2Fapp%3Apull";
  f.http.next(k_tags, challenged(R"(Bearer realm="https://auth.reg.example/t",service="reg")"))
      .next(line, {.body = R"({"access_token":"A"})"})
      .next(k_tags, k_none);
  f.client.list_tags(f.repository);
  CHECK(f.request(1).header("Authorization") == "Basic " + text::to_base64("me:p:w"));
  CHECK(f.request(2).header("Authorization") == "Bearer A");
}

TEST_CASE("identity tokens are exchanged by OAuth2 POST") {
  RegistryFixture f({}, {{"reg.example", {"", "", "idt/1"}}});
  f.http.next(k_tags, challenged(R"(Bearer realm="https://reg.example/t",service="reg")"))
      .next("POST https://reg.example/t", token("A"))
      .next(k_tags, k_none);
  f.client.list_tags(f.repository);
  CHECK(f.request(1).body ==
        "grant_type=refresh_token&refresh_token=idt%2F1&client_id=airgap&service=reg&"
        "scope=repository%3Ateam%2Fapp%3Apull");
  CHECK(f.request(1).header("Content-Type") == "application/x-www-form-urlencoded");
}

TEST_CASE("a token server that knows OAuth2 alone gets a password POST") {
  for (const int status : {404, 405}) {
    RegistryFixture f({}, user());
    f.http.next(k_tags, challenged(R"(Bearer realm="https://reg.example/t")"))
        .next("GET https://reg.example/t?account=me&scope=repository%3Ateam%2Fapp%3Apull", {.status = status})
        .next("POST https://reg.example/t", token("A"))
        .next(k_tags, k_none);
    f.client.list_tags(f.repository);
    CHECK(f.request(2).body.starts_with("grant_type=password&username=me&password=p%3Aw&client_id=airgap"));
  }
}

TEST_CASE("pushing asks for pull,push, and a mount for the other repository too") {
  CHECK(Access{"a/b", false, {}}.scopes() == std::vector<std::string>{"repository:a/b:pull"});
  CHECK(Access{"a/b", true, "c"}.scopes() ==
        std::vector<std::string>{"repository:a/b:pull,push", "repository:c:pull"});
  CHECK(Access{"", false, {}}.scopes().empty());
}

TEST_CASE("a repository that will be pushed to is read with the right to push") {
  RegistryFixture f;
  f.client.expect_push(f.repository);
  const std::string line =
      "GET https://auth.example/token?service=reg&scope=repository%3Ateam%2Fapp%3Apull%2Cpush";
  f.http.next(k_tags, k_bearer).next(k_tags, k_none).next(line, token("P"));
  f.client.list_tags(f.repository);
  CHECK(f.lines().at(1) == line);
}

TEST_CASE("Basic is sent to a registry that asks for it, and from then on") {
  RegistryFixture f({}, user());
  f.http.next(k_tags, challenged("Basic realm=x")).always(k_tags, k_none);
  f.client.list_tags(f.repository);
  f.client.list_tags(f.repository);
  REQUIRE(f.lines().size() == 3);
  CHECK(f.request(0).header("Authorization").empty());
  CHECK(f.request(2).header("Authorization") == "Basic " + text::to_base64("me:p:w"));
}

TEST_CASE("a 401 that does not go away ends after one new token, naming the scope (R8)") {
  RegistryFixture f;
  f.http.always(k_tags, k_bearer).always(k_token, token("T"));
  const diag::Error error = error_of([&] { return f.client.list_tags(f.repository); });
  CHECK(error.kind() == diag::ErrorKind::credentials);
  CHECK(error.full_message().find("repository:team/app:pull") != std::string::npos);
  CHECK(error.full_message().find("missing or not permitted") != std::string::npos);
  CHECK(f.lines().size() == 5);  // asked, token, asked, new token, asked
}

TEST_CASE("a wider scope that the registry names is asked for once, and remembered (R8)") {
  RegistryFixture f;
  const std::string wide = k_token + "&scope=repository%3Ateam%2Fapp%3Apull%2Cmetadata";
  f.http.next(k_tags, k_bearer)
      .next(k_tags, challenged(R"(Bearer realm="https://auth.example/token",service="reg",)"
                               R"(scope="repository:team/app:pull,metadata",error="insufficient_scope")"))
      .always(k_tags, k_none)
      .next(k_token, token("T1"))
      .next(wide, token("T2"));
  f.client.list_tags(f.repository);
  f.client.list_tags(f.repository);
  CHECK(f.lines().size() == 6);
  CHECK(f.request(5).header("Authorization") == "Bearer T2");
}

TEST_CASE("a scope that is covered already, in whatever order, is answered with a new token (R13)") {
  RegistryFixture f;
  f.http.next(k_tags, k_bearer)
      .next(k_tags, challenged(R"(Bearer realm="https://auth.example/token",service="reg",)"
                               R"(scope="repository:team/app:pull",error="invalid_token")"))
      .next(k_tags, k_none)
      .next(k_token, token("T1"))
      .next(k_token, token("T2"));
  f.client.list_tags(f.repository);
  CHECK(f.request(4).header("Authorization") == "Bearer T2");
}

TEST_CASE("a 401 without a challenge is answered by the one of /v2/ (R9)") {
  RegistryFixture f;
  f.http.next(k_tags, {.status = 401})
      .next("GET https://reg.example/v2/", k_bearer)
      .next(k_token, token("T"))
      .next(k_tags, k_none);
  CHECK(f.client.list_tags(f.repository));

  RegistryFixture none;
  none.http.next(k_tags, {.status = 401}).next("GET https://reg.example/v2/", {.status = 401});
  CHECK_THROWS_AS(none.client.list_tags(none.repository), diag::CredentialsError);
}

TEST_CASE("what cannot be answered is a credentials error that does not hold the password") {
  struct Row {
    std::string challenge;
    std::map<std::string, Credential> known;
    const char* why;
    std::size_t requests;
  };
  const std::vector<Row> rows{
      {"Negotiate", {}, "not in a way that is known", 2},  // and the ping
      {"Basic realm=x", {}, "asks for a user name and password", 1},
      {"Basic realm=x",
       {{"reg.example", {"", "", "p:w"}}},
       "asks for a user name and password, and what is known for it is an identity token",
       1},
      {"Basic realm=x", user(), "credentials of user me", 2},
      {"Bearer realm=\"https://auth.evil.test/t\"", user(), "https://auth.evil.test", 1},
      {"Bearer realm=\"http://reg.example/t\"", user(), "plain http", 1},
      {"Bearer realm=\"http://reg.example/t\"", {}, "plain http", 1},
      {"Bearer realm=\"null://reg.example/t\"", {}, "no usable token server", 1},
      {"Bearer realm=\"file:///etc/passwd\"", {}, "no usable token server", 1},
      {"Bearer realm=\"https://u:p@reg.example/t\"", {}, "no usable token server", 1},
  };
  for (const Row& row : rows) {
    CAPTURE(row.challenge);
    RegistryFixture f({}, row.known);
    f.http.always(k_tags, challenged(row.challenge))
        .always("GET https://reg.example/v2/", challenged(row.challenge));
    const diag::Error error = error_of([&] { return f.client.list_tags(f.repository); });
    CHECK(error.kind() == diag::ErrorKind::credentials);
    CHECK(error.full_message().find(row.why) != std::string::npos);
    CHECK(error.full_message().find("reg.example") != std::string::npos);
    CHECK((error.full_message() + error.hint()).find("p:w") == std::string::npos);
    CHECK(f.lines().size() == row.requests);
  }
}

TEST_CASE("a foreign or plain token server may have the credentials when the user named it (R11)") {
  RegistryOptions options;
  options.hosts.insecure = {"auth.other.test"};
  options.hosts.plain_http = {"reg.example:5000", "auth.other.test:81"};
  RegistryFixture f(options, user());
  f.http.next(k_tags, challenged(R"(Bearer realm="http://auth.other.test:81/t")"))
      .next("GET http://auth.other.test:81/t?account=me&scope=repository%3Ateam%2Fapp%3Apull", token("T"))
      .next(k_tags, k_none);
  CHECK(f.client.list_tags(f.repository));
  CHECK(f.request(1).allow_plain_http);
  CHECK(f.request(1).addresses == http::AddressRule::any);
}

TEST_CASE("a token server elsewhere must have a public address, unless the registry is inside itself") {
  for (const bool inside : {false, true}) {
    RegistryFixture f;
    FakeAnswer first = k_bearer;
    first.remote_address = inside ? "10.0.0.5" : "93.184.216.34";
    f.http.next(k_tags, first).next(k_token, token("T")).next(k_tags, k_none);
    f.client.list_tags(f.repository);
    CHECK(f.request(1).addresses == (inside ? http::AddressRule::any : http::AddressRule::public_only));
  }
}

TEST_CASE("replies of a token server that are no token are refused (R12)") {
  struct Row {
    FakeAnswer answer;
    diag::ErrorKind kind;
    const char* why;
  };
  const std::vector<Row> rows{
      {{.body = "<html>login</html>"}, diag::ErrorKind::credentials, "without a token"},
      {{.body = "{}"}, diag::ErrorKind::credentials, "without a token"},
      {{.body = R"({"token":""})"}, diag::ErrorKind::credentials, "without a token"},
      {{.body = R"({"token":"a\r\nX-Evil: 1"})"}, diag::ErrorKind::credentials, "without a token"},
      {{.body = R"({"token":"ok","expires_in":"soon"})"}, diag::ErrorKind::credentials, "without a token"},
      {{.body = std::string(std::size_t{2} << 20, ' ')}, diag::ErrorKind::unsafe, "limit"},
      {{.status = 401, .body = test::errors("UNAUTHORIZED", "bad password")},
       diag::ErrorKind::credentials,
       "bad password"},
      {{.status = 403}, diag::ErrorKind::credentials, "refused"},
      {{.status = 404}, diag::ErrorKind::credentials, "refused"},
      {{.status = 503}, diag::ErrorKind::network, "refused"},
      {{.status = 429}, diag::ErrorKind::network, "refused"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.answer.status);
    CAPTURE(row.answer.body.substr(0, 60));
    RegistryFixture f;
    f.http.next(k_tags, k_bearer).next(k_token, row.answer);
    const diag::Error error = error_of([&] { return f.client.list_tags(f.repository); });
    CHECK(error.kind() == row.kind);
    CHECK(error.full_message().find(row.why) != std::string::npos);
  }
}

TEST_CASE("Docker Hub is asked at its API host with its own credentials and realm") {
  RegistryFixture f({}, {{"docker.io", {"me", "pw", ""}}});
  const std::string tags = "GET https://registry-1.docker.io/v2/library/nginx/tags/list";
  f.http.next(tags, challenged(R"(Bearer realm="https://auth.docker.io/token",service="registry.docker.io")"))
      .next(
          "GET https://auth.docker.io/token?account=me&service=registry.docker.io&"
          "scope=repository%3Alibrary%2Fnginx%3Apull",
          token("T"))
      .next(tags, k_none);
  CHECK(f.client.list_tags({"docker.io", "library/nginx"}));
  CHECK(f.request(1).header("Authorization") == "Basic " + text::to_base64("me:pw"));
}

}  // namespace
}  // namespace airgap::registry
