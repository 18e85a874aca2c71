#include "importer/map.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <map>
#include <memory>
#include <utility>

#include "common/diag/error.hpp"
#include "common/hash/hasher.hpp"
#include "common/image/media_type.hpp"

using namespace airgap;
using importer::map_images;

namespace {

const image::RegistryTarget k_where{"r.example", "in"};

/// A bundle of images without layers, and their manifests.
class Bundle : public transport::ImageSource {
 public:
  std::string read_manifest(const image::Descriptor& wanted) override { return manifests.at(wanted.digest); }
  std::unique_ptr<io::Source> open_blob(const image::Descriptor&, std::uint64_t) override { return nullptr; }

  const bundle::Image& add(const std::string& name, const std::string& target) {
    return add(
        name, target,
        fmt::format(
            R"({{"schemaVersion":2,"mediaType":"{}","config":{{"mediaType":"{}","digest":"{}","size":1}},"layers":[]}})",
            image::k_oci_manifest, image::k_oci_config, hash::sha256_of(name).str()));
  }
  const bundle::Image& add(const std::string& name, const std::string& target, std::string bytes) {
    const hash::Digest digest = hash::sha256_of(bytes);
    info.images.push_back({.name = image::Reference::parse(name),
                           .digest = digest,
                           .media_type = std::string(image::k_oci_manifest),
                           .size = bytes.size(),
                           .source_digest = digest,
                           .platforms = {},
                           .target = target,
                           .subject = {},
                           .platform_choice = "all"});
    manifests.emplace(digest, std::move(bytes));
    return info.images.back();
  }

  std::vector<std::string> targets(const std::optional<image::Mapping>& names) {
    std::vector<std::string> all;
    for (const auto& placement : map_images(info, *this, k_where, names))
      all.push_back(placement.target.str());
    return all;
  }

  bundle::BundleInfo info;
  std::map<hash::Digest, std::string> manifests;
};

image::Mapping mapped(const std::string& rule) {
  image::Mapping names;
  names.add_rule(rule);
  return names;
}

using Targets = std::vector<std::string>;

}  // namespace

TEST_CASE("images go where the bundle says, below the prefix, unless the operator chose names") {
  Bundle bundle;
  bundle.add("src.example/org/app:1", "team/app:1");
  bundle.add("src.example/org/web:2", "team/web:2");
  CHECK(bundle.targets({}) == Targets{"r.example/in/team/app:1", "r.example/in/team/web:2"});
  CHECK(bundle.targets(image::Mapping{}) == Targets{"r.example/in/org/app:1", "r.example/in/org/web:2"});
  CHECK(bundle.targets(image::Mapping{.mode = image::NameMode::flat}) ==
        Targets{"r.example/in/app:1", "r.example/in/web:2"});
}

TEST_CASE("a placement has the image's content and the repository of its target") {
  Bundle bundle;
  const bundle::Image image = bundle.add("src.example/org/app:1", "team/app:1");
  const auto placements = map_images(bundle.info, bundle, k_where, {});
  REQUIRE(placements.size() == 1);
  CHECK(placements[0].name == image.name);
  CHECK(placements[0].digest == image.digest);
  CHECK(placements[0].repository == registry::Repository{"r.example", "in/team/app"});
  CHECK(placements[0].graph.root().descriptor.digest == image.digest);
  CHECK(placements[0].graph.configs.size() == 1);
}

TEST_CASE(
    "what accompanies an image goes along where a rule sends that, and stays where the bundle says so") {
  for (const bool known :
       {true, false}) {  // bundle.json has its subject; of other forms the tag alone says it
    CAPTURE(known);
    Bundle bundle;
    const hash::Digest subject = bundle.add("src.example/org/app:1", "org/app:1").digest;
    const std::string tag = "sha256-" + subject.hex() + ".sig";
    bundle.add("src.example/org/app:" + tag, "org/app:" + tag);
    if (known) bundle.info.images.back().subject = subject;
    CHECK(bundle.targets(mapped("src.example/org/app:1=team/renamed:1")) ==
          Targets{"r.example/in/team/renamed:1", "r.example/in/team/renamed:" + tag});
    CHECK(bundle.targets({}) == Targets{"r.example/in/org/app:1", "r.example/in/org/app:" + tag});
  }
}

TEST_CASE("two images with one target are refused") {
  Bundle bundle;
  bundle.add("src.example/a/app:1", "a/app:1");
  bundle.add("src.example/b/app:1", "b/app:1");
  CHECK(bundle.targets({}).size() == 2);
  CHECK_THROWS_WITH_AS(bundle.targets(image::Mapping{.mode = image::NameMode::flat}),
                       doctest::Contains("src.example/a/app:1 and src.example/b/app:1 would both become"),
                       diag::UsageError);
}

TEST_CASE("a manifest that is no manifest is told with the image it belongs to") {
  Bundle bundle;
  bundle.add("src.example/org/app:1", "org/app:1", "{}");
  try {
    bundle.targets({});
    FAIL("it was taken");
  } catch (const diag::UnsafeError& error) {
    REQUIRE_FALSE(error.context().empty());
    CHECK(error.context().back() == "reading src.example/org/app:1");
  }
}
