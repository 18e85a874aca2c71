#include "exporter/resolve/platform_choice.hpp"

#include <doctest/doctest.h>

#include "common/diag/error.hpp"
#include "common/hash/hasher.hpp"
#include "common/image/manifest.hpp"
#include "common/image/media_type.hpp"

using namespace airgap;
using exporter::choose_platforms;

namespace {

image::Descriptor child(const std::string& platform) {
  image::Descriptor descriptor{std::string(image::k_oci_manifest), hash::sha256_of(platform), 100};
  const std::size_t slash = platform.find('/');
  descriptor.platform =
      image::Platform{.os = platform.substr(0, slash), .architecture = platform.substr(slash + 1)};
  return descriptor;
}

image::Index index_of(const std::vector<std::string>& platforms) {
  image::Index index{.media_type = std::string(image::k_oci_index)};
  for (const std::string& platform : platforms) index.manifests.push_back(child(platform));
  return index;
}

const image::Descriptor k_root{std::string(image::k_oci_index), hash::sha256_of("root"), 500};

image::PlatformFilter filter(const char* text) {
  return image::PlatformFilter::parse(text);
}

}  // namespace

TEST_CASE("all platforms keep the index and its bytes") {
  const auto choice = choose_platforms(index_of({"linux/amd64", "linux/arm64"}), k_root, filter("all"));
  CHECK(choice.root == k_root);
  CHECK_FALSE(choice.written_index);
}

TEST_CASE("one platform gives the child manifest the tag") {
  const auto choice = choose_platforms(index_of({"linux/amd64", "linux/arm64", "unknown/unknown"}), k_root,
                                       filter("linux/arm64"));
  CHECK(choice.root.digest == child("linux/arm64").digest);
  CHECK_FALSE(choice.written_index);
  CHECK(choice.notes.empty());
}

TEST_CASE("some platforms give an index of the chosen children, and the note names both digests") {
  const auto choice = choose_platforms(index_of({"linux/amd64", "linux/arm64", "linux/s390x"}), k_root,
                                       filter("linux/amd64,linux/s390x"));
  REQUIRE(choice.written_index);
  CHECK(choice.root.digest == hash::sha256_of(*choice.written_index));
  const auto parsed = image::parse_manifest(*choice.written_index, {}, choice.root.media_type);
  REQUIRE(parsed.index() != nullptr);
  CHECK(parsed.index()->manifests.size() == 2);
  REQUIRE(choice.notes.size() == 1);
  CHECK(choice.notes[0].find(k_root.digest.str()) != std::string::npos);
  CHECK(choice.notes[0].find(choice.root.digest.str()) != std::string::npos);
}

TEST_CASE("choosing every child there is keeps the index") {
  const auto choice =
      choose_platforms(index_of({"linux/amd64", "linux/arm64"}), k_root, filter("linux/amd64,linux/arm64"));
  CHECK(choice.root == k_root);
}

TEST_CASE("a chosen platform that an image lacks is noted while another one is there") {
  const auto choice =
      choose_platforms(index_of({"linux/amd64", "linux/arm64"}), k_root, filter("linux/amd64,linux/riscv64"));
  REQUIRE_FALSE(choice.notes.empty());
  CHECK(choice.notes[0] == "has no linux/riscv64");
}

TEST_CASE("an image without the chosen platform fails and says what it has") {
  CHECK_THROWS_WITH_AS(
      choose_platforms(index_of({"linux/amd64", "linux/arm64"}), k_root, filter("linux/s390x")),
      doctest::Contains("it has linux/amd64, linux/arm64"), diag::NetworkError);
}

TEST_CASE("an index of artifacts has no platforms to choose from and travels whole") {
  const auto choice = choose_platforms(index_of({"unknown/unknown"}), k_root, filter("linux/amd64"));
  CHECK(choice.root == k_root);
}
