#include <algorithm>

#include "common/hash/verifying_source.hpp"
#include "common/text/base64.hpp"
#include "tests/unit/common/registry/registry_fixture.hpp"

namespace airgap::registry {
namespace {

using test::error_of;
using test::errors;
using test::FakeAnswer;
using test::k_base;
using Lines = std::vector<std::string>;

const std::string k_bytes = "0123456789";
const std::string k_post = "POST " + k_base + "blobs/uploads/";
const std::string k_ping = "GET https://reg.example/v2/";

/// Uploads one blob and remembers what was counted.
struct Upload : test::RegistryFixture {
  explicit Upload(std::string content = k_bytes, RegistryOptions options = {},
                  std::map<std::string, Credential> known = {})
      : RegistryFixture(std::move(options), std::move(known)),
        bytes(std::move(content)),
        blob(test::blob_of(bytes)) {
    http.always(k_ping, {.headers = {{test::k_api, "registry/2.0"}}});
  }

  std::string bytes;       // as they are stored here
  image::Descriptor blob;  // as they should be
  std::int64_t sent = 0;
  std::int64_t taken_back = 0;
  int opened = 0;

  std::string encoded() const { return "digest=sha256%3A" + blob.digest.hex(); }
  std::string put(const std::string& session) const {
    return "PUT " + k_base + "up/" + session + "?" + encoded();
  }
  static std::string patch(const std::string& session) { return "PATCH " + k_base + "up/" + session; }
  std::string head() const { return "HEAD " + k_base + "blobs/" + blob.digest.str(); }
  static FakeAnswer session(const std::string& name) {
    return {.status = 202, .headers = {{"Location", "/v2/team/app/up/" + name}}};
  }

  void run() {
    client.upload_blob(
        repository, blob,
        [this](std::uint64_t offset) {
          ++opened;
          return std::make_unique<io::MemorySource>(std::string_view(bytes).substr(offset));
        },
        [this](std::int64_t count) { (count < 0 ? taken_back : sent) += count; });
  }
  Lines work() const {  // without the ping
    Lines all = lines();
    std::erase(all, k_ping);
    return all;
  }
};

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

TEST_CASE("a registry that does not take one PUT gets PATCH, then chunks, and that is remembered (R75)") {
  for (const FakeAnswer& no :
       {FakeAnswer{.status = 404}, FakeAnswer{.status = 405}, FakeAnswer{.status = 400},
        FakeAnswer{.status = 400, .body = errors("UNSUPPORTED")}, FakeAnswer{.status = 501}}) {
    CAPTURE(no.status);
    Upload f;
    f.http.next(k_post, f.session("1")).next(f.put("1"), no);
    f.http.next(k_post, f.session("2"))
        .next(f.patch("2"), f.session("2b"))
        .next(f.put("2b"), {.status = 204});
    f.run();
    CHECK(f.sent + f.taken_back == 10);
    f.http.next(k_post, f.session("3"))
        .next(f.patch("3"), f.session("3b"))
        .next(f.put("3b"), {.status = 201});
    f.run();
    CHECK(f.work() ==
          Lines{k_post, f.put("1"), k_post, f.patch("2"), f.put("2b"), k_post, f.patch("3"), f.put("3b")});
    CHECK(f.http.requests().back().body.empty());
  }
  Upload chunked;
  chunked.http.next(k_post, chunked.session("1")).next(chunked.put("1"), {.status = 405});
  chunked.http.next(k_post, chunked.session("2")).next(chunked.patch("2"), {.status = 405});
  chunked.http.next(k_post, chunked.session("3")).next(chunked.patch("3"), chunked.session("3b"));
  chunked.http.next(chunked.put("3b"), {.status = 201});
  chunked.run();
  CHECK(chunked.http.requests().at(chunked.lines().size() - 2).header("Content-Range") == "0-9");
  CHECK(chunked.sent + chunked.taken_back == 10);
}

TEST_CASE("a limit on request bodies leads to chunks that fit, and that is remembered (R74)") {
  const std::size_t mib = std::size_t{1} << 20;
  std::string bytes(5 * mib / 2, 'x');
  bytes[3] = 'y';
  Upload f(bytes);
  f.http.next(k_post, f.session("1")).next(f.put("1"), {.status = 413});
  f.http.always(k_post, f.session("2"));
  const auto chunk = [&](const char* to, std::size_t end) {
    return FakeAnswer{.status = 202,
                      .headers = {{"Location", std::string("/v2/team/app/up/") + to},
                                  {"Range", "0-" + std::to_string(end - 1)}}};
  };
  for (int repeat = 0; repeat < 2; ++repeat) {
    f.http.next(f.patch("2"), chunk("2a", mib)).next(f.patch("2a"), chunk("2b", 2 * mib));
    f.http.next(f.patch("2b"), chunk("2c", bytes.size())).next(f.put("2c"), {.status = 201});
    f.run();
  }
  CHECK(f.work().size() == 2 + 5 + 5);
  std::string joined;
  Lines ranges;
  for (const auto& request : f.http.requests()) {
    if (request.method != http::Method::patch) continue;
    if (ranges.size() < 3) joined += request.body;
    ranges.push_back(request.header("Content-Range"));
  }
  CHECK(joined == bytes);
  CHECK(ranges.at(0) == "0-1048575");
  CHECK(ranges.at(2) == "2097152-2621439");
  CHECK(f.sent + f.taken_back == 2 * static_cast<std::int64_t>(bytes.size()));
}

TEST_CASE("chunks are at least as large as the registry wants, and smaller once if it takes less (R74)") {
  const std::size_t mib = std::size_t{1} << 20;
  const std::string bytes(6 * mib, 'x');
  Upload f(bytes);
  FakeAnswer start = f.session("1");
  f.http.next(k_post, start).next(f.put("1"), {.status = 413});
  f.http.next(k_post, f.session("2")).next(f.patch("2"), {.status = 416});
  start.headers.emplace_back("OCI-Chunk-Min-Length", std::to_string(5 * mib));
  f.http.next(k_post, start).next(f.patch("1"), f.session("1a")).next(f.patch("1a"), f.session("1b"));
  f.http.next(f.put("1b"), {.status = 201});
  f.run();
  Lines ranges;
  for (const auto& request : f.http.requests()) {
    if (request.method == http::Method::patch) ranges.push_back(request.header("Content-Range"));
  }
  CHECK(ranges == Lines{"0-4194303", "0-5242879", "5242880-6291455"});

  Upload small;
  small.http.next(k_post, small.session("1")).next(small.put("1"), {.status = 413});
  CHECK_THROWS_WITH_AS(small.run(), doctest::Contains("10 bytes"), diag::NetworkError);
}

TEST_CASE("a chunk that the registry did not take in full begins a new session (R73)") {
  Upload f;
  f.http.next(k_post, f.session("1")).next(f.put("1"), {.status = 405});
  f.http.next(k_post, f.session("2"))
      .next(f.patch("2"), {.status = 202, .headers = {{"Location", "x"}, {"Range", "0-0"}}})
      .next(f.head(), {.status = 404});
  f.http.next(k_post, f.session("3"))
      .next(f.patch("3"), {.status = 201, .headers = {{"Location", "3b"}, {"Range", "0-9"}}})
      .next("PUT " + k_base + "up/3b?" + f.encoded(), {.status = 201});
  f.run();
  CHECK(f.sent + f.taken_back == 10);
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

constexpr std::size_t k_mib = std::size_t{1} << 20;

/// Uploads from what can be read once but for its beginning.
struct PipedUpload : Upload {
  explicit PipedUpload(std::size_t size) : Upload(std::string(size, 'x')) {}

  void run_from_pipe() {
    client.upload_blob(
        repository, blob,
        [this](std::uint64_t offset) -> std::unique_ptr<io::Source> {
          if (++opened > may_open) throw transport::PassedBy("it has passed by", "again");
          return std::make_unique<io::MemorySource>(std::string_view(bytes).substr(offset));
        },
        [this](std::int64_t count) { (count < 0 ? taken_back : sent) += count; },
        transport::Reread::beginning);
  }
  FakeAnswer taken(const std::string& next, std::size_t end) const {
    return {.status = 202,
            .headers = {{"Location", "/v2/team/app/up/" + next}, {"Range", "0-" + std::to_string(end - 1)}}};
  }
  std::string status(const std::string& session) const { return "GET " + k_base + "up/" + session; }
  std::string patched() const {
    std::string all;
    for (const auto& request : http.requests()) {
      if (request.method == http::Method::patch) all += request.header("Content-Range") + " ";
    }
    return all;
  }
  int may_open = 1;
};

TEST_CASE("what is held of a pipe is sent like a file; what is not goes in chunks") {
  PipedUpload small(8 * k_mib);
  small.http.next(k_post, small.session("1")).next(small.put("1"), {.status = 201});
  small.run_from_pipe();
  CHECK(small.work().back() == small.put("1"));

  PipedUpload large(17 * k_mib);
  large.http.next(k_post, large.session("1"));
  large.http.next(large.patch("1"), large.taken("1a", 8 * k_mib));
  large.http.next(large.patch("1a"), large.taken("1b", 16 * k_mib));
  large.http.next(large.patch("1b"), large.taken("1c", 17 * k_mib));
  large.http.next(large.put("1c"), {.status = 201});
  large.run_from_pipe();
  CHECK(large.patched() == "0-8388607 8388608-16777215 16777216-17825791 ");
  CHECK(large.sent == static_cast<std::int64_t>(17 * k_mib));
  large.bytes = large.bytes.substr(0, 8 * k_mib);
  large.blob = test::blob_of(large.bytes);
  large.may_open = 2;
  large.http.next(k_post, large.session("2")).next(large.put("2"), {.status = 201});
  large.run_from_pipe();  // the chunks were not the registry's wish
}

TEST_CASE("a chunk that failed goes on where the registry says, and nothing is read again") {
  const FakeAnswer broken{.error = [] { throw http::TransferError("connection reset", true); }};
  struct Row {
    const char* what;
    FakeAnswer failure;
    std::size_t there;               // MiB, by the status; 0: the registry knows no status
    std::vector<std::size_t> taken;  // MiB, after each chunk that follows
    const char* resumed;             // Content-Range
  };
  for (const Row& row :
       {Row{"busy", {.status = 503}, 8, {16, 17}, "8388608-16777215 16777216-17825791 "},
        Row{"the reply was lost", broken, 16, {17}, "16777216-17825791 "},
        Row{"half arrived", broken, 12, {17}, "12582912-17825791 "},
        Row{"no status", {.status = 502}, 0, {16, 17}, "8388608-16777215 16777216-17825791 "},
        Row{"smaller ones alone",
            {.status = 413},
            8,
            {12, 16, 17},
            "8388608-12582911 12582912-16777215 16777216-17825791 "}}) {
    CAPTURE(std::string(row.what));
    PipedUpload f(17 * k_mib);
    f.http.next(k_post, f.session("1")).next(f.patch("1"), f.taken("1a", 8 * k_mib));
    f.http.next(f.patch("1a"), row.failure).always(f.head(), {.status = 404});
    const bool no_status = row.there == 0;
    f.http.next(f.status("1a"), no_status ? FakeAnswer{.status = 405} : f.taken("1r", row.there * k_mib));
    const std::string at = no_status ? "1a" : "1r";
    for (const std::size_t end : row.taken) f.http.next(f.patch(at), f.taken(at, end * k_mib));
    f.http.next(f.put(at), {.status = 201});
    f.run_from_pipe();
    CHECK(f.patched() == "0-8388607 8388608-16777215 " + std::string(row.resumed));
    CHECK(f.sent + f.taken_back == static_cast<std::int64_t>(17 * k_mib));
  }
}

TEST_CASE(
    "a registry that takes no chunks gets a large blob of a pipe in its own way, and is not asked again") {
  for (const int status : {400, 403, 404, 405, 501}) {
    CAPTURE(status);
    PipedUpload f(17 * k_mib);
    f.may_open = 3;
    f.http.next(k_post, f.session("1")).next(f.patch("1"), {.status = status});
    f.http.next(k_post, f.session("2")).next(f.put("2"), {.status = 201});
    f.http.next(k_post, f.session("3")).next(f.put("3"), {.status = 201});
    f.run_from_pipe();
    f.run_from_pipe();
  }
}

TEST_CASE("what has passed by is lost with its upload, and the registry's words are told") {
  PipedUpload f(17 * k_mib);
  f.http.next(k_post, f.session("1")).next(f.patch("1"), f.taken("1a", 8 * k_mib));
  f.http.next(f.patch("1a"), {.status = 404, .body = errors("BLOB_UPLOAD_UNKNOWN", "gone")});
  f.http.next(f.head(), {.status = 404}).next(k_post, f.session("2"));
  const diag::Error error = error_of([&] {
    f.run_from_pipe();
    return 0;
  });
  CHECK(error.kind() == diag::ErrorKind::network);
  CHECK(error.message().find("404 BLOB_UPLOAD_UNKNOWN: gone; it has passed by") != std::string::npos);
  CHECK(error.hint() == "again");
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
