#include "bundle-format/metadata/bundle_json.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "common/diag/error.hpp"
#include "tests/unit/bundle-format/sample_bundle.hpp"

namespace airgap::bundle {
namespace {

/// bundle.json of the sample with the first `from` replaced.
std::string changed(const std::string& from, const std::string& to) {
  std::string text = write_bundle_json(make_sample().contents.info);
  const std::size_t at = text.find(from);
  REQUIRE_MESSAGE(at != std::string::npos, from);
  return text.replace(at, from.size(), to);
}

std::string refusal(const std::string& text) {
  try {
    parse_bundle_json(text);
    return "accepted";
  } catch (const diag::UnsafeError& error) {
    return error.message() + " | " + error.hint();
  }
}

}  // namespace

TEST_CASE("bundle.json reads back as it was written") {
  for (const Sha512 with : {Sha512::none, Sha512::layer}) {
    const BundleInfo info = make_sample(with).contents.info;
    CHECK(parse_bundle_json(write_bundle_json(info)) == info);
  }
}

TEST_CASE("odd platforms, a delta and the name mode survive") {
  BundleInfo info = make_sample().contents.info;
  info.names = image::NameMode::scoped;
  info.images[0].platforms = {
      {.os = "windows", .architecture = "amd64", .os_version = "10.0.1", .os_features = {"win32k", "x"}},
      {.os = "unknown", .architecture = "unknown"}};
  const Blob left_out = info.blobs.back();
  info.blobs.pop_back();
  info.requires_ = {{left_out.digest, left_out.size, left_out.kind, "team/app"}};
  info.base = {{image::Reference::parse("quay.io/org/old:1"), "org/old:1"},
               {image::Reference::parse("quay.io/org/old:2"), "org/old:2"}};
  CHECK(parse_bundle_json(write_bundle_json(info)) == info);
}

TEST_CASE("the base of a delta is checked as its images are") {
  const image::Reference one = image::Reference::parse("quay.io/org/a:1");
  const image::Reference two = image::Reference::parse("quay.io/org/b:1");
  struct {
    std::vector<BaseImage> base;
    std::string complaint;
  } const cases[] = {
      {{{one, "org/a:1"}, {two, "org/b:1"}}, "accepted"},
      {{{two, "org/b:1"}, {one, "org/a:1"}}, "/base/1: it is not in order of names"},
      {{{one, "org/a:1"}, {one, "org/a:1"}}, "/base/1: it is not in order of names"},
      {{{one, "../a:1"}}, "/base/0/target"},
      {{{one, "org/a"}}, "/base/0/target: a target has a tag or a digest"},
  };
  for (const auto& one_case : cases) {
    BundleInfo info = make_sample().contents.info;
    info.base = one_case.base;
    CHECK(refusal(write_bundle_json(info)).find(one_case.complaint) != std::string::npos);
  }
}

TEST_CASE("what a delta requires is checked as what it carries is") {
  BundleInfo info = make_sample().contents.info;
  const Blob left_out = info.blobs.back();
  info.blobs.pop_back();
  const RequiredBlob good{left_out.digest, left_out.size, left_out.kind, "team/app"};
  struct {
    std::vector<RequiredBlob> blobs;
    std::string complaint;
  } const cases[] = {
      {{good}, "accepted"},
      {{good, good}, "/requires/1: it is not in order"},
      {{{good.digest, good.size, BlobKind::manifest}}, "/requires/0: a manifest is carried, never required"},
      {{{good.digest, std::uint64_t{1} << 51, good.kind}}, "over the limit"},
      {{{good.digest, good.size, good.kind, "../up"}}, "/requires/0/repository: '../up' is no repository"},
      {{{good.digest, good.size, good.kind, "host:5000/a"}}, "/requires/0/repository"},
  };
  for (const auto& one : cases) {
    info.requires_ = one.blobs;
    CHECK(refusal(write_bundle_json(info)).find(one.complaint) != std::string::npos);
  }
}

TEST_CASE("members that this version does not know are no obstacle") {
  CHECK(refusal(changed("\"format\": 1,", "\"format\": 1, \"mood\": [1, {}],")) == "accepted");
  CHECK(refusal(changed("\"kind\":", "\"colour\": \"red\", \"kind\":")) == "accepted");
}

TEST_CASE("a newer bundle says what it needs") {
  CHECK(refusal(changed("\"format\": 1,", "\"format\": 2, \"needs\": \"airgap 0.9\",")) ==
        "bundle.json has format 2, and this program reads format 1 | this bundle needs airgap 0.9");
  CHECK(refusal(changed("\"format\": 1,", "\"format\": 2,")).ends_with("airgap-export 0.1.0 that wrote it"));
  CHECK(refusal(changed("\"format\": 1,", "\"format\": 1, \"critical\": [\"images\", \"volumes\"],"))
            .starts_with("bundle.json has a critical member 'volumes' that this program does not know"));
  CHECK(refusal(changed("\"format\": 1,", "\"format\": 1, \"critical\": [\"images\", \"blobs\"],")) ==
        "accepted");
}

TEST_CASE("a blob stored in an unknown way is refused with the version that is needed") {
  const std::string kind = "\"kind\": \"layer\"";
  const std::string text =
      refusal(changed(kind, kind + ", \"stored\": {\"way\": \"raw\\u001b[2J\", \"size\": 3}"));
  CHECK(text.find("does not know the way 'raw\\x1b[2J' of storing a blob") != std::string::npos);
  CHECK(text.find("this bundle needs a newer airgap, such as airgap-export 0.1.0") != std::string::npos);
}

TEST_CASE("a blob that is stored as it is may say so, but not with another size") {
  std::string text = write_bundle_json(make_sample().contents.info);
  const std::size_t at = text.find("\"size\": 1500,");
  REQUIRE(at != std::string::npos);
  CHECK(refusal(std::string(text).insert(at, R"("stored": {"way": "identity", "size": 1500}, )")) ==
        "accepted");
  CHECK(refusal(std::string(text).insert(at, R"("stored": {"way": "identity", "size": 1499}, )")) !=
        "accepted");
}

TEST_CASE("bundle.json with anything wrong in it is refused") {
  const Sample sample = make_sample();
  const std::string app = sample.image("docker.io/library/app:1").digest.str();
  const std::string arm = sample["app-arm64"].str();
  struct {
    std::string from, to, complaint;
  } const cases[] = {
      {"\"format\": 1", "\"format\": 0", "has format 0"},
      {"\"format\": 1", "\"format\": \"1\"", "/format"},
      {"\"format\": 1,", "", "format"},
      {"\"format\": 1,", "\"format\": 1, \"Format\": 2,", ""},
      {"0123456789abcdef", "0123456789ABCDEF", "/stream"},
      {"0123456789abcdef", "../", "/stream"},
      {"\"sequence\": 7", "\"sequence\": 0", "/sequence"},
      {"\"sequence\": 7", "\"sequence\": -7", "/sequence"},
      {"airgap-export", "\\u001b[31m", "/creator"},
      {"2026-01-31T", "2026-02-30T", "/created"},
      {"2026-01-31T", "1969-01-31T", "/created"},
      {"12:00:00Z", "12:00:00+01:00", "/created"},
      {"\"names\": \"path\"", "\"names\": \"deep\"", "/names"},
      {"\"images\": 3", "\"images\": 4", "/totals/images"},
      {"docker.io/library/app:1", "app:1", "the full name would be"},
      {"docker.io/library/app:1", "docker.io/library/app", "a tag or a digest"},
      {"docker.io/library/app:1", "docker.io/../app:1", "/images/0/name"},
      {"docker.io/library/app:1", "zzz.io/library/app:1", "not in order"},
      {"\"library/app:1", "\"../app:1", "/images/0/target"},
      {"\"library/app:1", "\"library/app", "/images/0/target"},
      {"\"library/app:1", "\"/library/app:1", "/images/0/target"},
      {app, arm, "bytes here and"},
      {app, "sha256:" + std::string(64, '0'), "not among the manifests"},
      {app, "md5:0123", "/images/0/digest"},
      {"vnd.oci.image.index.v1+json", "vnd.oci\\r\\nX: y", "mediaType"},
      {"\"platformChoice\": \"all\"", "\"platformChoice\": \"\\u202e\"", "platformChoice"},
      {"\"uniqueBytes\": 0", "\"uniqueBytes\": 4712", "/images/0/uniqueBytes"},
      {"\"kind\": \"manifest\"", "\"kind\": \"script\"", "/blobs/0"},
      {"\"kind\": \"config\"", "\"kind\": \"layer\"", "not in order"},
      {"\"size\": 1500", "\"size\": 1e3", "size"},
      {"\"size\": 1500", "\"size\": 18446744073709551615", "size"},
      {"\"size\": 1500", "\"size\": 2000000000000000", "over the limit"},
      {"\"size\": 1500", "\"size\": 1501", "/totals/bytes"},
  };
  for (const auto& one : cases) {
    INFO(one.from << " -> " << one.to);
    const std::string complaint = refusal(changed(one.from, one.to));
    CHECK(complaint != "accepted");
    CHECK_MESSAGE(complaint.find(one.complaint) != std::string::npos, complaint);
  }
}

TEST_CASE("a blob is there once, also under two kinds or left out as well") {
  BundleInfo info = make_sample().contents.info;
  SUBCASE("two kinds") {
    Blob again = info.blobs.front();
    again.kind = BlobKind::layer;
    const auto place = std::find_if(info.blobs.begin(), info.blobs.end(), [&](const Blob& blob) {
      return blob.kind == BlobKind::layer && again.digest < blob.digest;
    });
    info.blobs.insert(place, again);
  }
  SUBCASE("left out as well") {
    const Blob& left_out = info.blobs.back();
    info.requires_.push_back({left_out.digest, left_out.size, left_out.kind});
  }
  CHECK(refusal(write_bundle_json(info)).find(" is there twice") != std::string::npos);
}

TEST_CASE("sizes that only add up beyond the limit are refused") {
  BundleInfo info = make_sample().contents.info;
  info.blobs.back().size = info.blobs.back().stored_size = (std::uint64_t{1} << 50) - 1;
  CHECK(refusal(write_bundle_json(info)).find("together are over the limit") != std::string::npos);
}

TEST_CASE("a manifest of more than 4 MiB is refused") {
  BundleInfo info = make_sample().contents.info;
  info.blobs.front().size = info.blobs.front().stored_size = 4 * 1024 * 1024 + 1;
  CHECK(refusal(write_bundle_json(info)).find("over the limit of 4194304") != std::string::npos);
}

TEST_CASE("a cut bundle.json is refused wherever it is cut") {
  const std::string text = write_bundle_json(make_sample().contents.info);
  for (std::size_t length = 0; length + 1 < text.size(); ++length)
    CHECK_THROWS_AS(parse_bundle_json(text.substr(0, length)), diag::UnsafeError);
}

TEST_CASE("a creation time counts seconds since 1970") {
  CHECK(created_seconds("1970-01-01T00:00:00Z") == 0);
  CHECK(created_seconds("2000-02-29T23:59:59Z") == 951868799);
  CHECK(created_seconds("2241-12-31T23:59:59Z") == 8583494399);
  for (const char* text :
       {"", "2026-01-31", "2026-01-31 12:00:00Z", "2026-13-01T00:00:00Z", "2025-02-29T00:00:00Z",
        "2026-01-31T24:00:00Z", "2026-01-31T12:60:00Z", "2026-01-31T12:00:60Z", "2242-01-01T00:00:00Z",
        "2026-01-31T12:00:00z", "2026-01-31T12:00:00.0Z", "+026-01-31T12:00:00Z"})
    CHECK_THROWS_AS(created_seconds(text), diag::FormatError);
}

}  // namespace airgap::bundle
