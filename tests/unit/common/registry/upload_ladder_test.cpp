#include "tests/unit/common/registry/upload_fixture.hpp"

namespace airgap::registry {
namespace {

using namespace test;

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

TEST_CASE("a large blob whose PUT broke off goes on in chunks, and a broken chunk where the registry is") {
  const FakeAnswer broken{.error = [] { throw http::TransferError("connection reset", true); }};
  const std::size_t mib = std::size_t{1} << 20;
  const auto taken = [&](const std::string& next, std::size_t mibs) {
    return FakeAnswer{.status = 202,
                      .headers = {{"Location", "/v2/team/app/up/" + next},
                                  {"Range", "0-" + std::to_string(mibs * mib - 1)}}};
  };
  Upload f(std::string(17 * mib, 'x'));
  f.http.always(f.head(), {.status = 404});
  f.http.next(k_post, f.session("1")).next(f.put("1"), broken);
  f.http.next(k_post, f.session("2")).next(f.patch("2"), taken("2a", 8)).next(f.patch("2a"), broken);
  f.http.next("GET " + k_base + "up/2a", taken("2b", 12)).next(f.patch("2b"), taken("2c", 17));
  f.http.next(f.put("2c"), {.status = 201});
  f.run();
  CHECK(f.sent + f.taken_back == static_cast<std::int64_t>(17 * mib));

  Upload forgetful(std::string(17 * mib, 'x'));
  forgetful.http.always(forgetful.head(), {.status = 404});
  forgetful.http.next(k_post, forgetful.session("1")).next(forgetful.put("1"), broken);
  forgetful.http.next(k_post, forgetful.session("2")).next(forgetful.patch("2"), taken("2a", 8));
  forgetful.http.next(forgetful.patch("2a"), broken)
      .next("GET " + k_base + "up/2a", {.status = 404, .body = errors("BLOB_UPLOAD_UNKNOWN")});
  forgetful.http.next(k_post, forgetful.session("3")).next(forgetful.put("3"), broken);
  forgetful.http.next(k_post, forgetful.session("4")).next(forgetful.put("4"), {.status = 201});
  forgetful.run();  // by PUT again, and no more in chunks
}

}  // namespace
}  // namespace airgap::registry
