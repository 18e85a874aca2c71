#include "tests/unit/common/registry/upload_fixture.hpp"

namespace airgap::registry {
namespace {

using namespace test;

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
        {[this](std::int64_t count) { (count < 0 ? taken_back : sent) += count; },
         [this](std::uint64_t count) { found += count; }},
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

}  // namespace
}  // namespace airgap::registry
