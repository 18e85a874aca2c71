#include "common/registry/api_error.hpp"

#include "common/registry/limits.hpp"
#include "tests/unit/common/registry/registry_fixture.hpp"

namespace airgap::registry {
namespace {

using test::error_of;
using test::errors;
using Action = Asked::Action;
using diag::ErrorKind;

Refusal refusal(int status, std::string body, std::string type = "application/json") {
  const http::Request request{.url = http::Url::parse("https://reg.example/v2/")};
  test::FakeResponse response(
      request, {.status = status, .headers = {{"Content-Type", std::move(type)}}, .body = std::move(body)});
  return read_refusal(response);
}

TEST_CASE("an answer of an error becomes an error of the right kind that says what to do") {
  struct Row {
    Action action;
    int status;
    std::string body;
    ErrorKind kind;
    const char* says;  // in message or hint
  };
  const std::vector<Row> rows{
      {Action::read, 401, "", ErrorKind::credentials, "missing or not permitted"},
      {Action::read, 403, errors("DENIED"), ErrorKind::credentials, "missing or not permitted"},  // R14
      {Action::read, 404, errors("NAME_UNKNOWN"), ErrorKind::network, "does not have the-subject"},
      {Action::read, 412, errors("PRECONDITION"), ErrorKind::credentials, "policy"},
      {Action::read, 429, "", ErrorKind::network, "goes on where it stopped"},  // R17
      {Action::read, 500, "oops", ErrorKind::network, "500: oops"},
      {Action::read, 500, "oops\r\n", ErrorKind::network, "500: oops |"},
      {Action::read, 400, "Client sent an HTTP request to an HTTPS server.\n", ErrorKind::network,
       "leave out --plain-http reg.example"},
      {Action::push_blob, 400, "<center>The plain HTTP request was sent to HTTPS port</center>",
       ErrorKind::network, "reg.example speaks TLS"},
      {Action::push_blob, 404, errors("NAME_UNKNOWN"), ErrorKind::network,
       "create the repository team/app"},                                                            // R82
      {Action::push_blob, 405, errors("UNSUPPORTED"), ErrorKind::network, "read-only"},              // R83
      {Action::push_manifest, 405, errors("UNSUPPORTED"), ErrorKind::network, "hosted repository"},  // R87
      {Action::push_manifest, 405, "", ErrorKind::credentials, "immutable"},                         // R80
      {Action::push_manifest, 409, errors("CONFLICT"), ErrorKind::credentials, "immutable"},
      {Action::push_manifest, 412, errors("PRECONDITION"), ErrorKind::credentials, "immutable"},
      {Action::push_manifest, 403, errors("DENIED"), ErrorKind::credentials, "may push"},
      {Action::push_blob, 403, errors("DENIED", "Quota exceeded"), ErrorKind::network, "quota"},  // R81
      {Action::push_manifest, 412, errors("X", "project quota"), ErrorKind::network, "quota"},
      {Action::push_blob, 500, "QUOTA", ErrorKind::network, "quota"},
      {Action::push_blob, 413, "", ErrorKind::network, "123 bytes"},
      {Action::push_manifest, 413, "", ErrorKind::network, "123 bytes"},                           // R78
      {Action::push_manifest, 400, errors("MANIFEST_INVALID"), ErrorKind::network, "123 bytes"},   // R78
      {Action::push_manifest, 400, errors("MANIFEST_BLOB_UNKNOWN"), ErrorKind::network, "again"},  // R70
      {Action::push_manifest, 200, "<p>hi", ErrorKind::network, "not a registry answer"},          // R66
  };
  for (const Row& row : rows) {
    CAPTURE(row.status);
    CAPTURE(row.says);
    const Asked asked{row.action, "reg.example", "team/app", "the-subject", {}, 123};
    const diag::Error error = error_of([&] {
      throw_refusal(refusal(row.status, row.body), asked);
      return 0;
    });
    CHECK(error.kind() == row.kind);
    CHECK((error.full_message() + " | " + error.hint()).find(row.says) != std::string::npos);
    CHECK(error.full_message().find("reg.example") != std::string::npos);
  }
}

TEST_CASE("a registry that refuses Docker types is told apart (R79)") {
  for (const auto& [status, code] :
       std::vector<std::pair<int, std::string>>{{415, ""}, {400, "MANIFEST_INVALID"}}) {
    const Asked asked{Action::push_manifest,
                      "reg.example",
                      "team/app",
                      "m",
                      "application/vnd.docker.distribution.manifest.v2+json",
                      500};
    const diag::Error error = error_of([&] {
      throw_refusal(refusal(status, errors(code)), asked);
      return 0;
    });
    CHECK(error.kind() == ErrorKind::network);
    CHECK(error.full_message().find("refuses Docker media types") != std::string::npos);
  }
}

TEST_CASE("missing content has a type of its own, so that it can be pushed again (R70)") {
  const Asked asked{Action::push_manifest, "reg.example", "team/app", "m", {}, 1};
  CHECK_THROWS_AS(throw_refusal(refusal(400, errors("MANIFEST_BLOB_UNKNOWN")), asked), MissingContent);
  CHECK_THROWS_AS(throw_refusal(refusal(404, errors("BLOB_UNKNOWN")), asked), MissingContent);
}

TEST_CASE("the words of a registry are bounded and safe to print") {
  CHECK(refusal(500, "\x1b[31mred").str() == "500: \\x1b[31mred");
  CHECK(refusal(404, errors("A\\u001bB", "x\\u202ey")).str() == "404 A\\x1bB: x\\xe2\\x80\\xaey");
  CHECK(refusal(502, "<html>secret page</html>", "text/html; charset=utf-8").str() == "502 with a web page");
  CHECK(refusal(500, std::string(1'000'000, 'x')).body.size() == k_max_error_body);
  CHECK(refusal(500, std::string(1'000'000, 'x')).str().size() < 120);
  CHECK(refusal(500, errors("C", std::string(5000, 'm'))).str().size() < 400);
  for (const char* odd :
       {"", "null", "[]", "{}", R"({"errors":null})", R"({"errors":[null,5]})", R"({"errors":{}})"}) {
    CAPTURE(odd);
    CHECK(refusal(400, odd).items.empty());
  }
}

}  // namespace
}  // namespace airgap::registry
