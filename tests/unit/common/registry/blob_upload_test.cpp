#include <algorithm>

#include "common/hash/verifying_source.hpp"
#include "tests/unit/common/registry/upload_fixture.hpp"

namespace airgap::registry {
namespace {

using namespace test;

TEST_CASE("a blob is uploaded by POST and one PUT") {
  Upload f;
  f.http.next(k_post, f.session("1")).next(f.put("1"), {.status = 201});
  f.run();
  CHECK(f.work() == Lines{k_post, f.put("1")});
  const auto put = f.http.requests().back();
  CHECK(put.body == k_bytes);
  CHECK(put.header("Content-Type") == "application/octet-stream");
  CHECK(!put.repeatable);
  CHECK(f.sent == 10);
  CHECK(f.taken_back == 0);
}

TEST_CASE("the host has to be a registry before anything is sent (R66)") {
  test::RegistryFixture f;
  f.http.next(k_ping, {.headers = {{"Content-Type", "text/html"}}, .body = "<p>"});
  CHECK_THROWS_WITH_AS(f.client.upload_blob(f.repository, test::blob_of("x"), {}, {}),
                       doctest::Contains("not a registry answer"), diag::NetworkError);
}

TEST_CASE("a Location is resolved, its query kept, and the digest added (R68)") {
  struct Row {
    const char* location;
    const char* url;
  };
  for (const Row& row : {Row{"/u/1?_state=a%2Fb%3D&x=1+2", "https://reg.example/u/1?_state=a%2Fb%3D&x=1+2&"},
                         Row{"https://reg.example/u/1", "https://reg.example/u/1?"},
                         Row{"u1", "https://reg.example/v2/team/app/blobs/uploads/u1?"},
                         Row{"//reg.example/u/1#frag", "https://reg.example/u/1?"},
                         Row{"?s=1", "https://reg.example/v2/team/app/blobs/uploads/?s=1&"}}) {
    CAPTURE(row.location);
    Upload f;
    f.http.next(k_post, {.status = 202, .headers = {{"Location", row.location}}})
        .next("PUT " + (row.url + f.encoded()), {.status = 201});
    f.run();
    CHECK(f.sent == 10);
  }
}

TEST_CASE("an upload at another origin gets no credentials, and none at plain http (R68)") {
  Upload f(k_bytes, {}, {{"reg.example", {"u", "p", ""}}});
  f.http.next(k_post, {.status = 401, .headers = {{"WWW-Authenticate", "Basic"}}})
      .next(k_post, {.status = 202, .headers = {{"Location", "https://storage.test/u?sig=1"}}})
      .next("PUT https://storage.test/u?sig=1&" + f.encoded(), {.status = 201});
  f.run();
  CHECK(f.http.requests().back().header("Authorization").empty());
  CHECK(f.http.requests().back().addresses == http::AddressRule::public_only);

  Upload plain;
  plain.http.next(k_post, {.status = 202, .headers = {{"Location", "http://reg.example/u"}}});
  const diag::Error error = error_of([&] {
    plain.run();
    return 0;
  });
  CHECK(error.kind() == diag::ErrorKind::unsafe);
  CHECK(error.hint().find("X-Forwarded-Proto") != std::string::npos);
}

TEST_CASE("an upload that cannot begin says why (R67, R81-R83)") {
  struct Row {
    FakeAnswer answer;
    diag::ErrorKind kind;
  };
  for (const Row& row : {Row{{.status = 202}, diag::ErrorKind::network},
                         Row{{.status = 404, .body = errors("NAME_UNKNOWN")}, diag::ErrorKind::network},
                         Row{{.status = 405, .body = errors("UNSUPPORTED")}, diag::ErrorKind::network},
                         Row{{.status = 403, .body = errors("DENIED", "quota")}, diag::ErrorKind::network},
                         Row{{.status = 403, .body = errors("DENIED")}, diag::ErrorKind::credentials}}) {
    CAPTURE(row.answer.status);
    Upload f;
    f.http.next(k_post, row.answer);
    CHECK(error_of([&] {
            f.run();
            return 0;
          }).kind() == row.kind);
    CHECK(f.opened == 0);
  }
}

TEST_CASE("bytes that are not those of the digest never make a whole body (R76)") {
  for (const char* damaged : {"0123456780", "012345678", "01234567890"}) {
    CAPTURE(damaged);
    Upload f;
    f.bytes = damaged;
    f.http.always(k_post, f.session("1"))
        .always(f.put("1"), {.status = 201})
        .always(f.patch("1"), f.session("1"));
    CHECK_THROWS_AS(f.run(), hash::DigestMismatch);
  }
}

TEST_CASE("an empty blob is checked and uploaded too (R53)") {
  Upload f("");
  f.http.next(k_post, f.session("1")).next(f.put("1"), {.status = 201});
  f.run();
  CHECK(f.work().size() == 2);
  Upload damaged("");
  damaged.bytes = "x";
  CHECK_THROWS_AS(damaged.run(), hash::DigestMismatch);
}

TEST_CASE("DIGEST_INVALID tells a damaged source from a damaged line (R76)") {
  Upload healed;
  healed.http.next(k_post, healed.session("1"))
      .next(k_post, healed.session("2"))
      .next(healed.put("1"), {.status = 400, .body = errors("DIGEST_INVALID")})
      .next(healed.put("2"), {.status = 201});
  healed.run();
  CHECK(healed.sent + healed.taken_back == 10);

  Upload broken;
  broken.http.always(k_post, broken.session("1"))
      .always(broken.put("1"), {.status = 400, .body = errors("DIGEST_INVALID")});
  const diag::Error error = error_of([&] {
    broken.run();
    return 0;
  });
  CHECK(error.kind() == diag::ErrorKind::network);
  CHECK(error.full_message().find("the bytes that were sent are right") != std::string::npos);
}

TEST_CASE("a lost session is begun anew, three times at most (R71)") {
  for (const char* code : {"BLOB_UPLOAD_UNKNOWN", "BLOB_UPLOAD_INVALID"}) {
    Upload f;
    f.http.always(k_post, f.session("1"))
        .next(f.put("1"), {.status = 404, .body = errors(code)})
        .next(f.put("1"), {.status = 201})
        .always(f.head(), {.status = 404});
    f.run();
    CHECK(f.sent + f.taken_back == 10);

    Upload never;
    never.http.always(k_post, never.session("1"))
        .always(never.put("1"), {.status = 404, .body = errors(code)})
        .always(never.head(), {.status = 404});
    CHECK(error_of([&] {
            never.run();
            return 0;
          }).kind() == diag::ErrorKind::network);
    const Lines all = never.lines();
    CHECK(std::count(all.begin(), all.end(), k_post) == 3);
  }
}

TEST_CASE("a PUT whose reply was lost is not sent again when the blob is there (R77)") {
  const FakeAnswer broken{.error = [] { throw http::TransferError("connection reset", true); }};
  Upload f;
  f.http.next(k_post, f.session("1")).next(f.put("1"), broken).next(f.head(), {.status = 200});
  f.run();
  CHECK(f.work() == Lines{k_post, f.put("1"), f.head()});
  CHECK(f.sent + f.taken_back == 10);
  CHECK(f.clock.sleeps().size() == 1);

  Upload again;
  again.http.next(k_post, again.session("1"))
      .next(again.put("1"), broken)
      .next(again.head(), {.status = 404});
  again.http.next(k_post, again.session("2")).next(again.put("2"), {.status = 201});
  again.run();
  CHECK(again.work().back() == again.put("2"));
}

TEST_CASE("a server in trouble is waited for, as long as it asks, and not forever (R16)") {
  Upload f;
  f.http.always(k_post, f.session("1"))
      .always(f.head(), {.status = 404})
      .next(f.put("1"), {.status = 503, .headers = {{"Retry-After", "7"}}})
      .next(f.put("1"), {.status = 201});
  f.run();
  REQUIRE(f.clock.sleeps().size() == 1);
  CHECK(f.clock.sleeps().front() >= std::chrono::seconds(7));

  RegistryOptions options;
  options.retry.repeats = 2;
  Upload never(k_bytes, options);
  never.http.always(k_post, never.session("1"))
      .always(never.head(), {.status = 404})
      .always(never.put("1"), {.status = 503});
  CHECK(error_of([&] {
          never.run();
          return 0;
        }).kind() == diag::ErrorKind::network);
  CHECK(never.clock.sleeps().size() == 2);
}

TEST_CASE("a quota ends the upload at once (R81)") {
  Upload f;
  f.http.next(k_post, f.session("1"))
      .next(f.put("1"), {.status = 500, .body = errors("UNKNOWN", "quota exceeded")});
  CHECK_THROWS_WITH_AS(f.run(), doctest::Contains("quota exceeded"), diag::NetworkError);
  CHECK(f.clock.sleeps().empty());
}

TEST_CASE("a token that expires before the PUT is renewed and the PUT sent again (R13)") {
  Upload f;
  const std::string token = "GET https://auth.example/t?scope=repository%3Ateam%2Fapp%3Apull%2Cpush";
  const FakeAnswer challenge{.status = 401,
                             .headers = {{"WWW-Authenticate", "Bearer realm=\"https://auth.example/t\""}}};
  f.http.next(k_post, challenge)
      .next(token, {.body = R"({"token":"A"})"})
      .next(k_post, f.session("1"))
      .next(f.put("1"), challenge)
      .next(token, {.body = R"({"token":"B"})"})
      .next(f.put("1"), {.status = 201});
  f.run();
  CHECK(f.http.requests().back().header("Authorization") == "Bearer B");
  CHECK(f.http.requests().back().body == k_bytes);
  CHECK(f.sent + f.taken_back == 10);
}

struct Mount : Upload {
  Repository other{"reg.example", "team/base"};
  std::string line() const { return k_post + "?mount=sha256%3A" + blob.digest.hex() + "&from=team%2Fbase"; }
  bool mount() { return client.mount_blob(repository, blob.digest, other); }
};

TEST_CASE("a mount that is taken is all; one that opens a session lends it to the upload (R69)") {
  Mount f;
  f.http.next(f.line(), {.status = 201}).next(f.line(), f.session("m"));
  CHECK(f.mount());
  CHECK(!f.mount());
  f.http.next(f.put("m"), {.status = 201});
  f.run();
  CHECK(f.work() == Lines{f.line(), f.line(), f.put("m")});
}

TEST_CASE(
    "a mount that is refused, or breaks, is an upload; a host that never mounts is not asked again (R69)") {
  const FakeAnswer broken{.error = [] { throw http::TransferError("reset", true); }};
  for (const int status : {400, 403, 404, 405, 500}) {
    CAPTURE(status);
    Mount f;
    f.http.always(f.line(), {.status = status});
    CHECK(!f.mount());
    CHECK(!f.mount());
    CHECK(f.lines().size() == (status == 400 || status == 405 ? 1 : 2));
  }
  Mount f;
  f.http.next(f.line(), broken);
  CHECK(!f.mount());
  CHECK(!f.client.mount_blob(f.repository, f.blob.digest, {"elsewhere.example", "team/base"}));
}

TEST_CASE("sha512 blobs name their algorithm when the upload begins (R54)") {
  Upload f;
  f.blob.digest = hash::digest_of(hash::Algorithm::sha512, k_bytes);
  f.http.next(k_post + "?digest-algorithm=sha512", f.session("1"))
      .next("PUT " + k_base + "up/1?digest=sha512%3A" + f.blob.digest.hex(), {.status = 201});
  f.run();
  CHECK(f.sent == 10);
}

}  // namespace
}  // namespace airgap::registry
