#include <deque>

#include "common/hash/verifying_source.hpp"
#include "tests/unit/common/registry/upload_fixture.hpp"

namespace airgap::registry {
namespace {

using namespace test;

constexpr std::size_t k_mib = std::size_t{1} << 20;

/// One record, in memory.
struct FakeRecords : KeptUploads {
  std::optional<UploadState> left;
  std::vector<std::uint64_t> kept;  // what was taken, each time
  bool taken_by_another = false;

  struct Record : KeptUpload {
    explicit Record(FakeRecords& records) : all(records) {}
    std::optional<UploadState> left() const override { return all.left; }
    void keep(const UploadState& state) noexcept override {
      all.left = state;
      all.kept.push_back(state.taken / k_mib);
    }
    void forget() noexcept override { all.left.reset(); }
    FakeRecords& all;
  };
  std::unique_ptr<KeptUpload> claim(const UploadKey& key) noexcept override {
    CHECK(key.origin == "https://reg.example");
    CHECK(key.repository == "team/app");
    return taken_by_another ? nullptr : std::make_unique<Record>(*this);
  }
};

RegistryOptions with(FakeRecords& records) {
  RegistryOptions options;
  options.kept_uploads = &records;
  return options;
}

/// A large blob, and a record of what an earlier run did.
struct KeptUploadFixture : FakeRecords, Upload {
  explicit KeptUploadFixture(std::size_t mib = 80) : Upload(std::string(mib * k_mib, 'x'), with(*this)) {
    http.always(head(), {.status = 404});
  }
  void left_at(std::size_t mib, const std::string& location = k_base + "up/old") {
    left = UploadState{.location = location, .taken = mib * k_mib};
  }
  static FakeAnswer taken(const std::string& next, std::size_t mib) {
    return {.status = 202,
            .headers = {{"Location", "/v2/team/app/up/" + next},
                        {"Range", "0-" + std::to_string(mib * k_mib - 1)}}};
  }
  static std::string status(const std::string& session) { return "GET " + k_base + "up/" + session; }
  Lines ranges() const {
    Lines all;
    for (const auto& request : http.requests()) {
      if (request.method == http::Method::patch) all.push_back(request.header("Content-Range"));
    }
    return all;
  }
  /// All of it in two chunks of a new session.
  void expect_anew() {
    http.next(k_post, session("1")).next(patch("1"), taken("1a", 8)).next(patch("1a"), taken("1b", 64 + 8));
    http.next(patch("1b"), taken("1c", 80)).next(put("1c"), {.status = 201});
  }
  std::int64_t size() const { return static_cast<std::int64_t>(bytes.size()); }
};

TEST_CASE("a large blob goes in chunks from the start, and each that is taken is kept for a later run") {
  KeptUploadFixture f;
  f.expect_anew();
  f.run();
  CHECK(f.ranges() == Lines{"0-8388607", "8388608-75497471", "75497472-83886079"});
  CHECK(f.kept == std::vector<std::uint64_t>{0, 8, 72, 80});
  CHECK(!f.left);
  CHECK(f.sent == f.size());
  CHECK(f.opened == 1);
  std::string sent;
  for (const auto& request : f.http.requests())
    sent += request.method == http::Method::patch ? request.body : "";
  CHECK(sent == f.bytes);
}

TEST_CASE("a run goes on where the registry says that the earlier one ended") {
  for (const std::size_t there : {30, 41, 80}) {  // MiB; the record says 40
    CAPTURE(there);
    KeptUploadFixture f;
    f.left_at(40);
    f.http.next(f.status("old"), f.taken("2", there));
    if (there < 80)
      f.http.next(f.patch("2"), f.taken("2b", there + 8)).next(f.patch("2b"), f.taken("2c", 80));
    f.http.next(f.put(there < 80 ? "2c" : "2"), {.status = 201});
    f.run();
    CHECK(f.found == there * k_mib);
    CHECK(f.sent == f.size() - static_cast<std::int64_t>(there * k_mib));
    CHECK(f.taken_back == 0);
    CHECK(!f.left);
    std::string sent;
    for (const auto& request : f.http.requests())
      sent += request.method == http::Method::patch ? request.body : "";
    CHECK(sent == f.bytes.substr(there * k_mib));
  }
}

TEST_CASE("a session that the registry has no more is begun anew, without a word") {
  for (const FakeAnswer& gone :
       {FakeAnswer{.status = 404, .body = errors("BLOB_UPLOAD_UNKNOWN")}, FakeAnswer{.status = 404},
        FakeAnswer{.status = 400, .body = errors("BLOB_UPLOAD_INVALID")}, FakeAnswer{.status = 416},
        FakeAnswer{.status = 405}, FakeAnswer{.status = 204},
        FakeAnswer{.status = 204, .headers = {{"Range", "0-83886080"}}},
        FakeAnswer{.status = 200, .headers = {{"Content-Type", "text/html"}, {"Range", "0-9"}}}}) {
    CAPTURE(gone.status);
    test::Warnings warnings;
    KeptUploadFixture f;
    f.left_at(40);
    f.http.next(f.status("old"), gone);
    f.expect_anew();
    f.run();
    CHECK(f.sent == f.size());
    CHECK(f.found == 0);
    CHECK(warnings.lines().empty());
  }
}

TEST_CASE("a session that turns out lost, or holds other bytes, is begun anew in chunks") {
  struct Row {
    FakeAnswer patched;
    FakeAnswer committed;
  };
  for (const Row& row :
       {Row{{.status = 404, .body = errors("BLOB_UPLOAD_UNKNOWN")}, {}}, Row{{.status = 416}, {}},
        Row{KeptUploadFixture::taken("3", 80), {.status = 400, .body = errors("DIGEST_INVALID")}}}) {
    KeptUploadFixture f;
    f.left_at(75);
    f.http.next(f.status("old"), f.taken("2", 75))
        .next(f.patch("2"), row.patched)
        .next(f.put("3"), row.committed);
    f.expect_anew();
    f.run();
    CHECK(f.found == 75 * k_mib);
    CHECK(f.sent + f.taken_back == f.size());
    CHECK(!f.left);
  }
}

TEST_CASE("a record that leads elsewhere is not followed") {
  for (const char* location :
       {"https://other.example/up/old", "http://reg.example/up/old", "https://reg.example:444/up/old",
        "https://u:p@reg.example/up/old", "file:///etc", "/v2/team/app/up/old", ""}) {
    CAPTURE(location);
    KeptUploadFixture f;
    f.left_at(40, location);
    f.expect_anew();
    f.run();
    CHECK(f.found == 0);
  }
}

TEST_CASE("a session at another host is not kept") {
  KeptUploadFixture f;
  const FakeAnswer away{.status = 202, .headers = {{"Location", "https://storage.test/up"}}};
  f.http.next(k_post, away).always("PATCH https://storage.test/up", away);
  f.http.next("PUT https://storage.test/up?" + f.encoded(), {.status = 201});
  f.run();
  CHECK(f.kept.empty());
}

TEST_CASE("what another run has is left to it") {
  KeptUploadFixture f;
  f.left_at(40);
  f.taken_by_another = true;
  f.expect_anew();
  f.run();
  CHECK(f.kept.empty());
  CHECK(f.left);
}

TEST_CASE("what is damaged here is not committed, nor kept") {
  KeptUploadFixture f;
  f.left_at(40);
  f.bytes[3] = 'y';
  f.http.next(f.status("old"), f.taken("2", 40)).next(f.patch("2"), f.taken("2b", 48));
  f.http.next(f.patch("2b"), f.taken("2c", 80));
  CHECK_THROWS_AS(f.run(), hash::DigestMismatch);
  CHECK(!f.left);
}

TEST_CASE("a session that the registry cannot tell about is begun anew, after few repeats") {
  const FakeAnswer broken{.error = [] { throw http::TransferError("timed out", true); }};
  for (const FakeAnswer& answer :
       {FakeAnswer{.status = 500}, FakeAnswer{.status = 503}, FakeAnswer{.status = 401}, broken}) {
    CAPTURE(answer.status);
    test::Warnings warnings;
    KeptUploadFixture f;
    f.left_at(40);
    f.http.always(f.status("old"), answer);
    f.expect_anew();
    f.run();
    for (const auto& request : f.http.requests()) {
      if (request.line() == f.status("old")) CHECK(request.most_repeats == 2);
    }
    CHECK(f.sent == f.size());
    CHECK(f.found == 0);
    CHECK(!f.left);
    REQUIRE(warnings.lines().size() == 1);
    CHECK(warnings.lines().front().find("is sent from its start") != std::string::npos);
  }
}

TEST_CASE("a registry that is down keeps its session for the next run") {
  for (const int status : {503, 401}) {
    KeptUploadFixture f;
    f.left_at(40);
    f.http.always(f.status("old"), {.status = status}).always(k_post, {.status = status});
    CHECK_THROWS_AS(f.run(), diag::Error);
    CHECK(f.left);
  }
}

TEST_CASE("a quota is waited for as ever, and keeps the session") {
  KeptUploadFixture f;
  f.left_at(40);
  f.http.next(f.status("old"), {.status = 429}).next(f.status("old"), f.taken("2", 80));
  f.http.next(f.put("2"), {.status = 201});
  f.run();
  CHECK(f.found == 80 * k_mib);
  f.left_at(40);
  f.http.always(f.status("old"), {.status = 429});
  CHECK_THROWS_AS(f.run(), diag::NetworkError);
  CHECK(f.left);
}

TEST_CASE("a registry that takes no chunks, or puts them together wrongly, gets a large blob at once") {
  for (const FakeAnswer& no :
       {FakeAnswer{.status = 405}, FakeAnswer{.status = 416}, FakeAnswer{.status = 403}}) {
    CAPTURE(no.status);
    KeptUploadFixture f;
    f.http.next(k_post, f.session("1")).next(f.patch("1"), no);
    for (const char* session : {"2", "3"})
      f.http.next(k_post, f.session(session)).next(f.put(session), {.status = 201});
    f.run();
    f.run();
    CHECK(f.sent + f.taken_back == 2 * f.size());
    CHECK(!f.left);
  }
  KeptUploadFixture f;
  f.http.next(k_post, f.session("1"))
      .next(f.patch("1"), f.taken("2", 8))
      .next(f.patch("2"), f.taken("3", 72));
  f.http.next(f.patch("3"), f.taken("4", 80))
      .next(f.put("4"), {.status = 400, .body = errors("DIGEST_INVALID")});
  f.http.next(k_post, f.session("5")).next(f.put("5"), {.status = 201});
  f.run();
  CHECK(f.sent + f.taken_back == f.size());
}

TEST_CASE("a chunk that broke off is read again from its start, not from the blob's") {
  const FakeAnswer broken{.error = [] { throw http::TransferError("connection reset", true); }};
  for (const std::size_t there : {8, 20, 72}) {  // MiB, of 8 to 72
    CAPTURE(there);
    KeptUploadFixture f;
    f.http.next(k_post, f.session("1")).next(f.patch("1"), f.taken("1a", 8)).next(f.patch("1a"), broken);
    f.http.next(f.status("1a"), f.taken("1b", there));
    if (there == 8) f.http.next(f.patch("1b"), f.taken("1b", 72));
    f.http.next(f.patch("1b"), f.taken("1c", 80)).next(f.put("1c"), {.status = 201});
    f.run();
    CHECK(f.opened == (there == 72 ? 1 : 2));
    CHECK(f.sent + f.taken_back == f.size());
  }
}

}  // namespace
}  // namespace airgap::registry
