#include "tests/unit/common/registry/registry_fixture.hpp"

namespace airgap::registry {
namespace {

using namespace test;

const std::string k_bytes = "0123456789";
const image::Descriptor k_blob = test::blob_of(k_bytes);
const std::string k_line = k_base + "blobs/" + k_blob.digest.str();
const std::string k_get = "GET " + k_line;

FakeAnswer cut_after(std::size_t count) {
  return {.headers = {{"Content-Length", "10"}}, .body = k_bytes.substr(0, count), .cut = true};
}
FakeAnswer rest_from(std::size_t from) {
  return {.status = 206,
          .headers = {{"Content-Range", "bytes " + std::to_string(from) + "-9/10"}},
          .body = k_bytes.substr(from)};
}

std::string read(RegistryFixture& f, const image::Descriptor& blob = k_blob, std::uint64_t offset = 0) {
  return io::read_all(*f.client.open_blob(f.repository, blob, offset), 1 << 20, "blob");
}

std::vector<std::string> ranges(const RegistryFixture& f) {
  std::vector<std::string> all;
  for (const auto& request : f.http.requests()) all.push_back(request.header("Range"));
  return all;
}

TEST_CASE("a blob is read in one request, and a part of it by Range") {
  RegistryFixture f;
  f.http.next(k_get, {.body = k_bytes}).next(k_get, rest_from(7));
  CHECK(read(f) == k_bytes);
  CHECK(read(f, k_blob, 7) == "789");
  CHECK(read(f, k_blob, 10).empty());
  CHECK(ranges(f) == std::vector<std::string>{"", "bytes=7-"});
}

TEST_CASE("an empty blob needs no request (R53)") {
  RegistryFixture f;
  CHECK(read(f, test::blob_of("")).empty());
  CHECK(f.lines().empty());
}

TEST_CASE("a transfer that breaks is resumed where it stopped (R1, R7)") {
  RegistryFixture f;
  f.http.next(k_get, cut_after(4))
      .next(k_get, {.status = 206,
                    .headers = {{"Content-Range", "bytes 4-9/10"}, {"Content-Length", "6"}},
                    .body = "45",
                    .cut = true})
      .next(k_get, rest_from(6));
  CHECK(read(f) == k_bytes);
  CHECK(ranges(f) == std::vector<std::string>{"", "bytes=4-", "bytes=6-"});
  CHECK(f.clock.sleeps().size() == 2);
}

TEST_CASE("a body without length that ends early is resumed as well (R2)") {
  RegistryFixture f;
  f.http.next(k_get, {.headers = {{"Content-Length", "10"}}, .body = "0123"}).next(k_get, rest_from(4));
  CHECK(read(f) == k_bytes);
}

TEST_CASE("a break behind the last byte does no harm (R7)") {
  RegistryFixture f;
  f.http.next(k_get, cut_after(10));
  CHECK(read(f) == k_bytes);
  CHECK(f.lines().size() == 1);
}

TEST_CASE("a line that always breaks ends after the repeats, saying how far it came (R1)") {
  RegistryOptions options;
  options.retry.repeats = 3;
  RegistryFixture f(options);
  f.http.next(k_get, cut_after(4))
      .always(k_get, {.status = 206,
                      .headers = {{"Content-Range", "bytes 4-9/10"}, {"Content-Length", "6"}},
                      .cut = true});
  const diag::Error error = error_of([&] { return read(f); });
  CHECK(error.kind() == diag::ErrorKind::network);
  CHECK(error.full_message().find("got 4 of 10 bytes") != std::string::npos);
  CHECK(f.lines().size() == 4);
}

TEST_CASE("progress earns new repeats") {
  const std::string bytes(std::size_t{400} << 10, 'x');
  const image::Descriptor blob = test::blob_of(bytes);
  const std::string get = "GET " + k_base + "blobs/" + blob.digest.str();
  RegistryOptions options;
  options.retry.repeats = 1;
  RegistryFixture f(options);
  const std::size_t step = std::size_t{100} << 10;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    const std::string range = "bytes " + std::to_string(at) + "-" + std::to_string(bytes.size() - 1) + "/*";
    f.http.next(get,
                {.status = at == 0 ? 200 : 206,
                 .headers = {{"Content-Range", range}, {"Content-Length", std::to_string(bytes.size() - at)}},
                 .body = bytes.substr(at, step),
                 .cut = true});
  }
  CHECK(read(f, blob) == bytes);
  CHECK(f.lines().size() == 4);
}

TEST_CASE("a Range that is ignored or answered wrongly starts over, and the bytes come out once (R29-R31)") {
  struct Row {
    FakeAnswer answer;
    bool asks_again;
  };
  const std::vector<Row> rows{
      {{.status = 200, .body = k_bytes}, false},
      {{.status = 416}, true},
      {{.status = 206, .body = k_bytes.substr(4)}, true},
      {{.status = 206, .headers = {{"Content-Range", "bytes 0-9/10"}}, .body = k_bytes}, true},
      {{.status = 206, .headers = {{"Content-Range", "bytes 4-9/99"}}, .body = k_bytes.substr(4)}, true},
      {{.status = 206,
        .headers = {{"Content-Range", "bytes 4-9/10"}, {"Content-Type", "multipart/byteranges"}},
        .body = k_bytes.substr(4)},
       true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.answer.status);
    const test::Warnings warnings;
    RegistryFixture f;
    f.http.next(k_get, cut_after(4)).next(k_get, row.answer);
    if (row.asks_again) f.http.next(k_get, {.body = k_bytes});
    CHECK(read(f) == k_bytes);
    CHECK(f.lines().size() == (row.asks_again ? 3 : 2));
    CHECK(warnings.lines().size() == 1);
  }
}

TEST_CASE("starting over may break too, and goes on from the start again") {
  RegistryFixture f;
  f.http.next(k_get, cut_after(4))
      .next(k_get, cut_after(2))
      .next(k_get, cut_after(7))
      .next(k_get, {.body = k_bytes});
  CHECK(read(f) == k_bytes);
}

TEST_CASE("a size that is not the declared one is an integrity error at once (R3, R5)") {
  RegistryFixture wrong_length;
  wrong_length.http.next(k_get, {.body = k_bytes + "x"});
  CHECK(error_of([&] { return read(wrong_length); }).kind() == diag::ErrorKind::integrity);

  RegistryFixture longer;
  longer.http.next(k_get, {.headers = {{"Content-Length", "10"}}, .body = k_bytes + "x"});
  const diag::Error error = error_of([&] { return read(longer); });
  CHECK(error.kind() == diag::ErrorKind::integrity);
  CHECK(error.full_message().find("longer than its declared 10 bytes") != std::string::npos);
}

TEST_CASE("answers that are no blob are refused") {
  struct Row {
    FakeAnswer answer;
    diag::ErrorKind kind;
    const char* why;
  };
  const std::vector<Row> rows{
      {{.headers = {{"Content-Type", "text/html"}}, .body = "<p>log in"},
       diag::ErrorKind::network,
       "not a registry"},
      {{.headers = {{"Content-Encoding", "gzip"}}, .body = k_bytes},
       diag::ErrorKind::network,
       "Content-Encoding"},
      {{.status = 206, .body = k_bytes}, diag::ErrorKind::network, "206"},
      {{.status = 404, .body = errors("BLOB_UNKNOWN")}, diag::ErrorKind::network, "does not have blob"},
      {{.status = 403}, diag::ErrorKind::credentials, "not permitted"},
      {{.status = 429}, diag::ErrorKind::network, "429"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    RegistryFixture f;
    f.http.next(k_get, row.answer);
    const diag::Error error = error_of([&] { return read(f); });
    CHECK(error.kind() == row.kind);
    CHECK(error.full_message().find(row.why) != std::string::npos);
  }
}

TEST_CASE("a stop request ends the wait before a resume") {
  std::stop_source stop;
  RegistryOptions options;
  options.stop = stop.get_token();
  RegistryFixture f(options);
  f.http.next(k_get, cut_after(4));
  stop.request_stop();
  CHECK_THROWS_AS(read(f), diag::Interrupted);
}

TEST_CASE("a foreign layer comes from the registry, else from its own addresses, without credentials (R50)") {
  image::Descriptor layer = k_blob;
  layer.urls = {"http://plain.test/l", "https://gone.test/l", "https://mcr.test/l?sig=a%2Fb"};
  RegistryFixture here;
  here.http.next(k_get, {.body = k_bytes});
  CHECK(read(here, layer) == k_bytes);

  RegistryFixture f({}, {{"reg.example", {"u", "p", ""}}});
  f.http.next(k_get, {.status = 401, .headers = {{"WWW-Authenticate", "Basic"}}})
      .next(k_get, {.status = 404, .body = errors("BLOB_UNKNOWN")})
      .next("GET https://gone.test/l", {.status = 410})
      .next("GET https://mcr.test/l?sig=a%2Fb", cut_after(3))
      .next("GET https://gone.test/l", {.status = 410})
      .next("GET https://mcr.test/l?sig=a%2Fb", rest_from(3));
  CHECK(read(f, layer) == k_bytes);
  CHECK(f.request(1).header("Authorization") != "");
  for (std::size_t i = 2; i < f.lines().size(); ++i) {
    CHECK(f.request(i).header("Authorization").empty());
    CHECK(f.request(i).addresses == http::AddressRule::public_only);
  }

  RegistryFixture nowhere;
  layer.urls = {"http://plain.test/l", "file:///etc/passwd"};
  nowhere.http.next(k_get, {.status = 404});
  CHECK(error_of([&] { return read(nowhere, layer); }).kind() == diag::ErrorKind::network);
}

TEST_CASE("whether a blob is there is asked by HEAD, and by GET where HEAD is refused") {
  const auto ask = [](int status, int get_status) {
    RegistryFixture f;
    f.http.next("HEAD " + k_line, {.status = status, .headers = {{test::k_api, "registry/2.0"}}});
    if (get_status != 0)
      f.http.next(k_get, {.status = get_status, .headers = {{test::k_api, "registry/2.0"}}});
    return f.client.has_blob(f.repository, k_blob.digest);
  };
  CHECK(ask(200, 0));
  CHECK(!ask(404, 0));
  CHECK(ask(405, 200));
  CHECK(ask(403, 200));
  CHECK(!ask(405, 404));
  CHECK_THROWS_AS(ask(500, 0), diag::NetworkError);
  CHECK_THROWS_AS(ask(403, 403), diag::CredentialsError);
}

TEST_CASE("a server that says yes to everything has to show that it is a registry (R66)") {
  RegistryFixture parked;
  parked.http.always("HEAD " + k_line, {.status = 200})
      .always("GET https://reg.example/v2/",
              {.headers = {{"Content-Type", "text/html"}}, .body = "<h1>For sale</h1>"});
  CHECK_THROWS_WITH_AS(parked.client.has_blob(parked.repository, k_blob.digest),
                       doctest::Contains("not a registry answer"), diag::NetworkError);
  RegistryFixture real;
  real.http.always("HEAD " + k_line, {.status = 200}).next("GET https://reg.example/v2/", {.status = 401});
  CHECK(real.client.has_blob(real.repository, k_blob.digest));
  CHECK(real.client.has_blob(real.repository, k_blob.digest));
}

}  // namespace
}  // namespace airgap::registry
