#include "common/delivery/required_blobs.hpp"

#include <algorithm>

#include "tests/unit/common/delivery/answering_registry.hpp"

namespace airgap::delivery {
namespace {

using test::AnsweringRegistry;

/// An image with these layers in a repository of its own.
Placement placement(std::size_t number, const std::vector<std::string>& layers) {
  const registry::Repository where{"reg.example", "team/app" + std::to_string(number)};
  Placement placement{.name = image::Reference::parse("src.example/a:1"),
                      .digest = hash::sha256_of("manifest"),
                      .subject = {},
                      .target = {.registry = where.registry, .repository = where.path, .tag = "1"},
                      .repository = where,
                      .graph = {}};
  for (const std::string& layer : layers) placement.graph.layers.push_back(test::blob_of(layer));
  return placement;
}

TEST_CASE("a required blob is asked for where it was seen, and then wherever something is") {
  const hash::Digest base = hash::sha256_of("base");
  const registry::Repository seen{"reg.example", "seen/here"};
  for (const bool there : {true, false}) {
    CAPTURE(there);
    AnsweringRegistry registry([&](const std::string& line) -> test::FakeAnswer {
      return {.status = line.find(there ? "seen/here" : "team/app1") != std::string::npos ? 200 : 404};
    });
    RegistryContent content;
    content.manifests.emplace(registry::Repository{"reg.example", "team/app1"}, hash::sha256_of("manifest"));
    look_elsewhere({placement(0, {"base"}), placement(1, {})}, {.blobs = {{base, seen}}}, registry.client, {},
                   content);
    REQUIRE(content.elsewhere.contains(base));
    CHECK(content.elsewhere.at(base).path == (there ? "seen/here" : "team/app1"));
    CHECK(registry.lines().front().find("seen/here") != std::string::npos);
  }
}

TEST_CASE("what is nowhere else is asked for where an image of the base is, and not where none is") {
  const hash::Digest base = hash::sha256_of("base");
  const auto image_at = [](const std::string& path) {
    return image::Reference::in_registry("reg.example", path);
  };
  const RequiredBlobs required{
      .blobs = {{base, std::nullopt}},
      .base = {image_at("old/app:1"), image_at("old/app:2"), image_at("gone/app:1")}};
  SurveyOptions one_by_one;
  one_by_one.jobs = 1;
  for (const bool there : {true, false}) {
    CAPTURE(there);
    AnsweringRegistry registry([&](const std::string& line) -> test::FakeAnswer {
      const bool known = line.find("old/app/manifests/2") != std::string::npos ||
                         (there && line.find("old/app/blobs/") != std::string::npos);
      return {.status = known ? 200 : 404,
              .headers = {{"Docker-Content-Digest", base.str()},
                          {"Content-Type", "application/vnd.oci.image.manifest.v1+json"}}};
    });
    RegistryContent content;
    look_elsewhere({placement(0, {"base"})}, required, registry.client, one_by_one, content);
    CHECK(content.elsewhere.contains(base) == there);
    const auto lines = registry.lines();
    CHECK(std::ranges::none_of(
        lines, [](const std::string& line) { return line.find("gone/app/blobs/") != std::string::npos; }));
    CHECK(std::ranges::count_if(
              lines, [](const std::string& line) { return line.find("/blobs/") != std::string::npos; }) == 1);
  }
}

TEST_CASE("a registry that was emptied is not asked for every blob in every repository, and that is said") {
  const test::Warnings warnings;
  AnsweringRegistry registry([](const std::string&) { return test::FakeAnswer{.status = 404}; });
  std::vector<std::string> layers;
  RequiredBlobs required;
  for (std::size_t i = 0; i < 300; ++i) {
    layers.push_back("layer " + std::to_string(i));
    required.blobs.emplace(hash::sha256_of(layers.back()), std::nullopt);
  }
  std::vector<Placement> placements{placement(0, layers)};
  RegistryContent content;
  for (std::size_t i = 1; i <= 100; ++i) {
    placements.push_back(placement(i, {}));
    content.manifests.emplace(placements.back().repository, placements.back().digest);
  }
  look_elsewhere(placements, required, registry.client, {}, content);
  CHECK(content.elsewhere.empty());
  CHECK(registry.lines().size() == 20'000);
  REQUIRE(warnings.lines().size() == 1);
  CHECK(warnings.lines()[0].find("20000 questions did not find all that the delta requires") !=
        std::string::npos);
}

}  // namespace
}  // namespace airgap::delivery
