#include "bundle-format/verify.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>

#include "bundle-format/metadata/layout.hpp"
#include "common/hash/hasher.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/bundle-format/sample_bundle.hpp"
#include "tests/unit/bundle-format/whole_files.hpp"

namespace airgap::bundle {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

const std::string k_app = "docker.io/library/app:1";
const std::string k_tool = "quay.io/org/tool:2";

VerifyReport verify(const std::string& path, std::size_t jobs = 2) {
  return verify_bundle(path, jobs, {}, [](std::uint64_t) {});
}

const Finding* about(const VerifyReport& report, const std::string& file) {
  for (const Finding& finding : report.findings)
    if (finding.file == file) return &finding;
  return nullptr;
}

Names all_names(const BundleInfo& info) {
  Names names;
  for (const Image& image : info.images) names.push_back(image.name.str());
  return names;
}

struct Bundles {
  test::TempDir scratch;
  Sample sample = make_sample();
  std::string directory = scratch.path("bundle");
  std::string archive = scratch.path("bundle.tar");
  Bundles() {
    write_directory(files_of(sample), directory);
    write_file(archive, archive_of(sample));
  }
  std::string path(const std::string& what) const { return blob_path(sample[what]); }
  void damage(const std::string& what) const {
    std::string bytes = sample.blobs.at(sample[what]);
    bytes[bytes.size() / 2] ^= 4;
    write_file(directory + "/" + path(what), bytes);
  }
  /// The archive with one byte changed, `offset` bytes into the header, data or padding of what begins with
  /// `text`.
  void change_archive(const std::string& text, std::size_t offset) const {
    std::string bytes = archive_of(sample);
    const std::size_t at = bytes.find(text);
    REQUIRE(at != std::string::npos);
    bytes[at + offset] ^= 1;
    write_file(archive, bytes);
  }
};

}  // namespace

TEST_CASE("a whole bundle has no findings, and every byte of it was read") {
  const Bundles bundles;
  for (const std::string& path : {bundles.directory, bundles.archive}) {
    std::atomic<std::uint64_t> read = 0;
    const VerifyReport report = verify_bundle(path, 3, {}, [&](std::uint64_t bytes) { read += bytes; });
    CHECK(report.findings.empty());
    CHECK(report.damaged.empty());
    CHECK(report.info == bundles.sample.contents.info);
    CHECK(report.files == files_of(bundles.sample).size());
    CHECK(read == bundles.sample.contents.info.stored_bytes());
    CHECK(report.bytes > read);
  }
}

TEST_CASE("sha512 blobs are verified too") {
  const test::TempDir scratch;
  const Sample sample = make_sample(Sha512::layer);
  write_directory(files_of(sample), scratch.path("a"));
  CHECK(verify(scratch.path("a")).findings.empty());
  write_file(scratch.path("a/") + blob_path(sample["sha512"]), "bytes with a bad digest.");
  const VerifyReport report = verify(scratch.path("a"));
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].problem.find("expected sha512:") != std::string::npos);
}

TEST_CASE("a damaged blob touches the images that need it and no others") {
  const Bundles bundles;
  struct {
    std::string what;
    Names images;
  } const cases[] = {{"big", {k_app}},
                     {"config-tool", {k_tool}},
                     {"shared", {k_app, k_tool}},
                     {"app-arm64", {k_app}},
                     {"index", {k_app}},
                     {"tool", {k_tool}},
                     {"signature-layer", {"quay.io/org/tool@" + bundles.sample["signature"].str()}}};
  for (const auto& one : cases) {
    INFO(one.what);
    bundles.damage(one.what);
    const VerifyReport report = verify(bundles.directory);
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].file == bundles.path(one.what));
    CHECK(report.findings[0].kind == diag::ErrorKind::integrity);
    CHECK(report.findings[0].problem.find("expected " + bundles.sample[one.what].str() + ", found sha256:") !=
          std::string::npos);
    CHECK(report.findings[0].images == one.images);
    CHECK(report.damaged == one.images);
    write_file(bundles.directory + "/" + bundles.path(one.what),
               bundles.sample.blobs.at(bundles.sample[one.what]));
  }
}

TEST_CASE("a blob hidden behind a damaged manifest touches the image above it") {
  const Bundles bundles;
  bundles.damage("tool");
  bundles.damage("config-tool");
  const VerifyReport report = verify(bundles.directory);
  CHECK(report.findings.size() == 2);
  REQUIRE(about(report, bundles.path("config-tool")) != nullptr);
  CHECK(about(report, bundles.path("config-tool"))->images == Names{k_tool});
  CHECK(report.damaged == Names{k_tool});
}

TEST_CASE("all findings are reported, by file") {
  const Bundles bundles;
  bundles.damage("big");
  fs::remove(bundles.directory + "/" + bundles.path("config-tool"));
  fs::resize_file(bundles.directory + "/" + bundles.path("shared"), 3);
  write_file(bundles.directory + "/autorun.inf", "");
  const VerifyReport report = verify(bundles.directory);
  CHECK(report.findings.size() == 4);
  CHECK(std::is_sorted(report.findings.begin(), report.findings.end(),
                       [](const Finding& a, const Finding& b) { return a.file < b.file; }));
  REQUIRE(about(report, "autorun.inf") != nullptr);
  CHECK(about(report, "autorun.inf")->kind == diag::ErrorKind::unsafe);
  CHECK(about(report, "autorun.inf")->images.empty());
  CHECK(about(report, bundles.path("config-tool"))->images == Names{k_tool});
  CHECK(report.damaged == Names{k_app, k_tool});
}

TEST_CASE("damaged metadata is a finding that touches every image, and the blobs are still read") {
  for (const char* name : {"oci-layout", "index.json", "bundle.json", "manifest.json", "SHA256SUMS"}) {
    const Bundles bundles;
    INFO(name);
    const std::string bytes = read_file(bundles.directory + "/" + name);
    for (const std::size_t at : {std::size_t{0}, bytes.size() / 2, bytes.size() - 1}) {
      std::string flipped = bytes;
      flipped[at] ^= 1;
      write_file(bundles.directory + "/" + name, flipped);
      const VerifyReport report = verify(bundles.directory);
      REQUIRE(about(report, name) != nullptr);
      if (report.info) CHECK(report.damaged == all_names(*report.info));
    }
    write_file(bundles.directory + "/" + name, bytes.substr(0, bytes.size() / 2));
    bundles.damage("big");
    const VerifyReport report = verify(bundles.directory);
    CHECK(about(report, name) != nullptr);
    CHECK(about(report, bundles.path("big")) != nullptr);
  }
}

TEST_CASE("without bundle.json all images are said to be touched") {
  const Bundles bundles;
  fs::remove(bundles.directory + "/bundle.json");
  const VerifyReport report = verify(bundles.directory);
  CHECK_FALSE(report.info.has_value());
  CHECK(about(report, "bundle.json") != nullptr);
  CHECK(report.all_touched);
}

TEST_CASE("damage around the files of an archive is found") {
  const Bundles bundles;
  const std::string header = bundles.path("big") + std::string(1, '\0');
  SUBCASE("a header") {
    bundles.change_archive(header, 110);
    const VerifyReport report = verify(bundles.archive);
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].problem == "its header is damaged");
    CHECK(report.findings[0].images == Names{k_app});
  }
  SUBCASE("data") {
    bundles.change_archive(header, 600);
    const VerifyReport report = verify(bundles.archive);
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].file == bundles.path("big"));
  }
  SUBCASE("padding") {
    bundles.change_archive(header, 512 + 1500 + 3);
    const VerifyReport report = verify(bundles.archive);
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].problem.find("padding") != std::string::npos);
  }
  SUBCASE("the end") {
    std::string bytes = archive_of(bundles.sample);
    bytes[bytes.size() - 700] = 'x';
    write_file(bundles.archive, bytes);
    const VerifyReport report = verify(bundles.archive);
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].file == "end of the archive");
  }
  SUBCASE("the head") {
    bundles.change_archive("index.json", 101);
    const VerifyReport report = verify(bundles.archive);
    CHECK_FALSE(report.info.has_value());
    CHECK(about(report, "head of the archive") != nullptr);
  }
}

TEST_CASE("a flipped bit anywhere in an archive is a finding") {
  const Bundles bundles;
  const std::string bytes = archive_of(bundles.sample);
  std::fstream file(bundles.archive, std::ios::in | std::ios::out | std::ios::binary);
  const auto put = [&](std::size_t at, char byte) {
    file.seekp(static_cast<std::streamoff>(at));
    file.put(byte).flush();
  };
  for (std::size_t at = 0; at < bytes.size(); at += 7) {
    put(at, static_cast<char>(bytes[at] ^ (1 << (at % 8))));
    CHECK_MESSAGE(!verify(bundles.archive, 1).findings.empty(), at);
    put(at, bytes[at]);
  }
  CHECK(verify(bundles.archive).findings.empty());
}

TEST_CASE("a cut archive names the images that it lost") {
  const Bundles bundles;
  const std::string bytes = archive_of(bundles.sample);
  // Layers are the last; the one that is cut is the last of them.
  const hash::Digest last = bundles.sample.contents.info.blobs.back().digest;
  write_file(bundles.archive, bytes.substr(0, bytes.find(blob_path(last) + std::string(1, '\0')) + 300));
  const VerifyReport report = verify(bundles.archive);
  REQUIRE(about(report, "end of the archive") != nullptr);
  CHECK(about(report, "end of the archive")->problem.find("it is cut: got ") == 0);
  CHECK(about(report, "end of the archive")->images.empty());
  CHECK(report.damaged == about(report, blob_path(last))->images);
  REQUIRE(about(report, blob_path(last)) != nullptr);
  CHECK_FALSE(about(report, blob_path(last))->images.empty());
  CHECK(about(report, bundles.path("config-tool")) == nullptr);
}

TEST_CASE("an unfinished bundle is a finding") {
  const Bundles bundles;
  write_file(bundles.directory + "/.partial/sha256-x", "");
  REQUIRE(about(verify(bundles.directory), ".partial") != nullptr);
  fs::rename(bundles.archive, bundles.archive + ".partial");
  CHECK_FALSE(verify(bundles.archive + ".partial").findings.empty());
}

TEST_CASE("references that do not resolve are found") {
  Sample sample = make_sample();
  const test::TempDir scratch;
  const auto write = [&] {
    write_directory(files_of(sample), scratch.path("a"));
    return verify(scratch.path("a"));
  };
  const auto drop = [&](const std::string& what) {
    std::erase_if(sample.contents.info.blobs, [&](const Blob& blob) { return blob.digest == sample[what]; });
    sample.contents.docker_images.clear();
  };
  SUBCASE("a layer that the bundle does not have") {
    drop("big");
    const VerifyReport report = write();
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].file == blob_path(sample["app-amd64"]));
    CHECK(report.findings[0].problem == sample["big"].str() + ", which it names, is not in the bundle");
    CHECK(report.damaged == Names{k_app});
  }
  SUBCASE("a child of an index that the bundle does not have") {
    drop("app-arm64");
    const VerifyReport report = write();
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].file == blob_path(sample["index"]));
  }
  SUBCASE("a layer that a delta leaves to the other side is fine") {
    for (const Blob& blob : sample.contents.info.blobs)
      if (blob.digest == sample["big"])
        sample.contents.info.requires_.push_back({blob.digest, blob.size, blob.kind});
    drop("big");
    CHECK(write().findings.empty());
  }
  SUBCASE("a manifest that is none") {
    const std::string bytes =
        R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json"})";
    const hash::Digest digest = hash::sha256_of(bytes);
    for (Blob& blob : sample.contents.info.blobs)
      if (blob.digest == sample["tool"]) blob = {digest, bytes.size(), BlobKind::manifest, bytes.size()};
    std::sort(
        sample.contents.info.blobs.begin(), sample.contents.info.blobs.end(),
        [](const Blob& a, const Blob& b) { return std::tie(a.kind, a.digest) < std::tie(b.kind, b.digest); });
    for (Image& image : sample.contents.info.images) {
      if (image.digest != sample["tool"]) continue;
      image.digest = digest;
      image.size = bytes.size();
    }
    sample.blobs.emplace(digest, bytes);
    const VerifyReport report = write();
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].kind == diag::ErrorKind::unsafe);
    CHECK(report.findings[0].file == blob_path(digest));
    CHECK(report.damaged == Names{k_tool});
  }
}

TEST_CASE("a stop request ends the verification") {
  const Bundles bundles;
  std::stop_source stop;
  stop.request_stop();
  CHECK_THROWS_AS(verify_bundle(bundles.archive, 2, stop.get_token(), [](std::uint64_t) {}),
                  diag::Interrupted);
}

TEST_CASE("where no bundle is there is nothing to verify") {
  const test::TempDir scratch;
  CHECK_THROWS_AS(verify(scratch.path("absent")), diag::UsageError);
  write_file(scratch.path("text"), std::string(2000, 'x'));
  CHECK_THROWS_AS(verify(scratch.path("text")), diag::UsageError);
}

}  // namespace airgap::bundle
