#include "exporter/plan/plan.hpp"

#include <doctest/doctest.h>

#include "common/diag/error.hpp"
#include "common/hash/hasher.hpp"
#include "tests/unit/exporter/pinned_images.hpp"

using namespace airgap;
using exporter::make_plan;
using exporter::testing::blob;
using exporter::testing::image_of;
using exporter::testing::pinned;

namespace {

exporter::Holdings nothing() {
  exporter::Holdings holdings;
  holdings.has_blob = [](const bundle::Blob&) { return false; };
  holdings.partial_bytes = [](const bundle::Blob&) { return 0; };
  return holdings;
}

const exporter::PlanOptions k_options{.names = {},
                                      .creator = "airgap-export test",
                                      .created = "2026-01-02T03:04:05Z",
                                      .new_stream = "00112233445566778899aabbccddeeff"};

}  // namespace

TEST_CASE("a layer that two images share is planned once, and is unique to neither") {
  const auto plan =
      make_plan(pinned({image_of("h.example/a:1", {"base", "only a"}), image_of("h.example/b:1", {"base"})}),
                nothing(), k_options);
  CHECK(plan.contents.info.images.size() == 2);
  CHECK(plan.fetch.size() == 4);  // two configs, two layers
  const bundle::Image& a = plan.contents.info.images[0];
  CHECK(a.bytes - a.unique_bytes == std::string("base").size());
  CHECK(plan.fetch_bytes == std::string("config of h.example/a:1config of h.example/b:1baseonly a").size());
}

TEST_CASE("the order of the selection does not show in the plan") {
  const auto a = image_of("h.example/a:1", {"x", "y"});
  const auto b = image_of("h.example/b:1", {"y", "z"});
  const auto one = make_plan(pinned({a, b}), nothing(), k_options);
  const auto other = make_plan(pinned({b, a}), nothing(), k_options);
  CHECK(one.contents.info == other.contents.info);
  CHECK(one.fetch == other.fetch);
}

TEST_CASE("what is there already is not fetched") {
  auto holdings = nothing();
  const hash::Digest base = hash::sha256_of("base");
  holdings.has_blob = [&](const bundle::Blob& asked) { return asked.digest == base; };
  const auto plan = make_plan(pinned({image_of("h.example/a:1", {"base", "new"})}), holdings, k_options);
  CHECK(plan.fetch.size() == 2);
  CHECK(plan.kept_bytes == 4);
  CHECK_FALSE(plan.unchanged);
}

TEST_CASE("what is there of a blob that is to be fetched is told apart, and is never more than the blob") {
  auto holdings = nothing();
  const hash::Digest layer = hash::sha256_of("layer");
  for (const std::uint64_t left : {std::uint64_t{3}, std::uint64_t{500}}) {
    holdings.partial_bytes = [&](const bundle::Blob& asked) { return asked.digest == layer ? left : 0; };
    const auto plan = make_plan(pinned({image_of("h.example/a:1", {"layer"})}), holdings, k_options);
    CHECK(plan.partial_bytes == std::min<std::uint64_t>(left, 5));
    CHECK(plan.fetch.size() == 2);
    CHECK(plan.kept_bytes == 0);
  }
}

TEST_CASE("a finished bundle with the same contents keeps its number and is unchanged") {
  const auto images = pinned({image_of("h.example/a:1", {"base"})});
  auto holdings = nothing();
  holdings.info = make_plan(images, nothing(), k_options).contents.info;
  holdings.info->sequence = 7;
  holdings.finished = holdings.number_used = true;
  holdings.has_blob = [](const bundle::Blob&) { return true; };
  auto later = k_options;
  later.created = "2027-01-01T00:00:00Z";
  const auto plan = make_plan(images, holdings, later);
  CHECK(plan.unchanged);
  CHECK(plan.contents.info == *holdings.info);
}

TEST_CASE("new contents take the next number of the same stream") {
  auto holdings = nothing();
  holdings.info = make_plan(pinned({image_of("h.example/a:1", {"old"})}), nothing(), k_options).contents.info;
  holdings.info->sequence = 7;
  holdings.finished = holdings.number_used = true;
  auto options = k_options;
  options.new_stream = "ffffffffffffffffffffffffffffffff";
  const auto plan = make_plan(pinned({image_of("h.example/a:1", {"new"})}), holdings, options);
  CHECK(plan.contents.info.sequence == 8);
  CHECK(plan.contents.info.stream == k_options.new_stream);
}

TEST_CASE("what was begun in the place of a finished bundle keeps its number while it is to hold the same") {
  const auto old = pinned({image_of("h.example/a:1", {"old"})});
  const auto next = pinned({image_of("h.example/a:1", {"new"})});
  auto holdings = nothing();
  holdings.info = make_plan(old, nothing(), k_options).contents.info;
  holdings.info->sequence = 7;
  holdings.finished = holdings.number_used = true;
  holdings.begun = make_plan(next, holdings, k_options).contents.info;
  auto later = k_options;
  later.created = "2027-01-01T00:00:00Z";
  CHECK(make_plan(next, holdings, later).contents.info == *holdings.begun);
  CHECK(make_plan(old, holdings, later).contents.info == *holdings.info);
  const auto third = make_plan(pinned({image_of("h.example/a:1", {"third"})}), holdings, later);
  CHECK(third.contents.info.sequence == 8);
  CHECK(third.contents.info.created == later.created);
  CHECK(third.contents.info.stream == holdings.info->stream);

  holdings.begun = holdings.info;  // the same, in another shape
  CHECK(make_plan(old, holdings, later).contents.info == *holdings.info);
  CHECK(make_plan(next, holdings, later).contents.info.sequence == 8);
}

TEST_CASE("images of an earlier bundle that are not selected stay") {
  auto holdings = nothing();
  holdings.kept.push_back(image_of("h.example/old:1", {"base"}));
  const auto plan = make_plan(pinned({image_of("h.example/a:1", {"base"})}), holdings, k_options);
  CHECK(plan.contents.info.images.size() == 2);
}

TEST_CASE("two images that would get one name inside are refused before anything moves") {
  CHECK_THROWS_WITH_AS(make_plan(pinned({image_of("h.example/a:1", {}), image_of("other.example/a:1", {})}),
                                 nothing(), k_options),
                       doctest::Contains("h.example/a:1 and other.example/a:1 would both become"),
                       diag::UsageError);
}

TEST_CASE("one digest with two sizes is refused") {
  auto lying = image_of("h.example/b:1", {"base"});
  lying.graph.layers[0].size += 1;
  CHECK_THROWS_AS(make_plan(pinned({image_of("h.example/a:1", {"base"}), lying}), nothing(), k_options),
                  diag::UnsafeError);
}

TEST_CASE("a derived stream depends on the images alone") {
  const auto a = pinned({image_of("h.example/a:1", {"x"}), image_of("h.example/b:1", {})});
  const auto b = pinned({image_of("h.example/b:1", {}), image_of("h.example/a:1", {"x"})});
  CHECK(exporter::derived_stream(a) == exporter::derived_stream(b));
  CHECK(exporter::derived_stream(a) != exporter::derived_stream(pinned({image_of("h.example/a:1", {"x"})})));
  CHECK(exporter::random_stream().size() == 32);
  CHECK(exporter::random_stream() != exporter::random_stream());
}

namespace {

/// What the other side has when `images` were brought to it as `number` of the stream of k_options.
exporter::OtherSide other_side(const exporter::PinnedImages& images, std::uint64_t number) {
  const auto info = make_plan(images, nothing(), k_options).contents.info;
  exporter::OtherSide side;
  side.said_by = {"receipt.json"};
  side.position = bundle::StreamPosition{info.stream, number};
  for (const bundle::Image& image : info.images) {
    side.images.emplace(image.name, image.digest);
    side.places.emplace(image.name, image.target);
  }
  for (const bundle::Blob& blob : info.blobs) {
    if (blob.kind != bundle::BlobKind::manifest)
      side.blobs.emplace(blob.digest, exporter::OtherSide::Held{blob.size, "a"});
  }
  return side;
}

exporter::PlanOptions since(const exporter::OtherSide& side) {
  auto options = k_options;
  options.new_stream = "ffffffffffffffffffffffffffffffff";
  options.other_side = &side;
  return options;
}

}  // namespace

TEST_CASE("a delta leaves out the configs and layers that the other side has, and no manifest") {
  const auto old = image_of("h.example/a:1", {"base", "top"});
  const auto side = other_side(pinned({old}), 3);
  const auto plan =
      make_plan(pinned({old, image_of("h.example/b:1", {"base", "new"})}), nothing(), since(side));
  const bundle::BundleInfo& info = plan.contents.info;
  CHECK(plan.new_images == 1);
  CHECK(plan.fetch.size() == 2);  // b's config and layer
  CHECK(info.images.size() == 2);
  CHECK(info.blobs.size() == 4);  // and two manifests
  REQUIRE(info.requires_.size() == 3);
  CHECK(info.requires_[0].kind == bundle::BlobKind::config);
  CHECK(info.requires_[0].repository == "a");
  CHECK(info.required_bytes() == std::string("config of h.example/a:1basetop").size());
}

TEST_CASE("a delta names the images of its base that are not in it, and none where it requires nothing") {
  const auto images = pinned({image_of("h.example/a:1", {"base"}), image_of("h.example/old:1", {"base"})});
  const auto side = other_side(images, 1);
  const auto delta = make_plan(pinned({images.images[0]}), nothing(), since(side)).contents.info;
  REQUIRE(delta.base.size() == 1);
  CHECK(delta.base[0].name.str() == "h.example/old:1");
  CHECK(delta.base[0].target == "old:1");
  const auto fresh = make_plan(pinned({image_of("h.example/n:1", {"new"})}), nothing(), since(side));
  CHECK(fresh.contents.info.base.empty());
}

TEST_CASE("what a want-list names is not left out") {
  auto carrier = image_of("h.example/a@sha256:" + std::string(64, 'a'), {"base"});
  carrier.target = "a@sha256:" + std::string(64, 'a');
  carrier.wanted = exporter::WantedBlobs{};
  const auto side = other_side(pinned({image_of("h.example/old:1", {"base", "top"})}), 1);
  const auto plan =
      make_plan(pinned({carrier, image_of("h.example/b:1", {"base", "top"})}), nothing(), since(side));
  REQUIRE(plan.contents.info.requires_.size() == 1);
  CHECK(plan.contents.info.requires_[0].digest == hash::sha256_of("top"));
}

TEST_CASE("of two registries that counts which each of them has, and what was sent besides counts in both") {
  auto one = other_side(pinned({image_of("h.example/a:1", {"base", "one"})}), 1);
  const auto two = other_side(pinned({image_of("h.example/a:1", {"base", "two"})}), 1);
  one.keep_common(two);
  CHECK(one.blobs.contains(hash::sha256_of("base")));
  CHECK_FALSE(one.blobs.contains(hash::sha256_of("one")));
  CHECK_FALSE(one.blobs.contains(hash::sha256_of("two")));
  one.add(other_side(pinned({image_of("h.example/c:1", {"sent"})}), 1));
  CHECK(one.blobs.contains(hash::sha256_of("sent")));
  CHECK(one.places.size() == 2);
}

TEST_CASE("a blob of another size is not what the other side has") {
  auto side = other_side(pinned({image_of("h.example/a:1", {"base"})}), 3);
  for (auto& [digest, held] : side.blobs) held.size += 1;
  const auto plan = make_plan(pinned({image_of("h.example/a:1", {"base"})}), nothing(), since(side));
  CHECK(plan.contents.info.requires_.empty());
}

TEST_CASE("manifest.json of a delta names images that are whole in it alone") {
  auto old = image_of("h.example/a:1", {"base"});
  auto fresh = image_of("h.example/b:1", {"new"});
  auto mixed = image_of("h.example/c:1", {"base", "newer"});
  for (auto* image : {&old, &fresh, &mixed}) {
    image->docker = bundle::DockerImage{image->name.str(), image->graph.configs[0].digest, {}};
    for (const auto& layer : image->graph.layers) image->docker->layers.push_back(layer.digest);
  }
  const auto side = other_side(pinned({old}), 1);
  const auto plan = make_plan(pinned({old, fresh, mixed}), nothing(), since(side));
  REQUIRE(plan.contents.docker_images.size() == 1);
  CHECK(plan.contents.docker_images[0].name == "h.example/b:1");
}

TEST_CASE("a delta goes on with the stream of the other side, above what it has") {
  const auto images = pinned({image_of("h.example/a:1", {"base"}), image_of("h.example/b:1", {"new"})});
  const auto side = other_side(pinned({image_of("h.example/a:1", {"base"})}), 7);
  const auto first = make_plan(images, nothing(), since(side)).contents.info;
  CHECK(first.stream == k_options.new_stream);
  CHECK(first.sequence == 8);

  struct {
    std::string what;
    std::string stream;
    std::uint64_t sequence;
    bool same;  // contents
    std::uint64_t expected;
  } const cases[] = {
      {"the same delta again", first.stream, 8, true, 8},
      {"an older one of the stream", first.stream, 5, true, 8},
      {"a newer one with other contents", first.stream, 11, false, 12},
      {"one of another stream", std::string(32, 'e'), 20, true, 8},
  };
  for (const auto& one : cases) {
    INFO(one.what);
    auto holdings = nothing();
    holdings.info = first;
    holdings.info->stream = one.stream;
    holdings.info->sequence = one.sequence;
    if (!one.same) holdings.info->requires_.clear();
    holdings.finished = holdings.number_used = true;
    const auto info = make_plan(images, holdings, since(side)).contents.info;
    CHECK(info.stream == first.stream);
    CHECK(info.sequence == one.expected);
  }
}
