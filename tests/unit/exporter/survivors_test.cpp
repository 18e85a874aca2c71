#include "exporter/survivors.hpp"

#include <doctest/doctest.h>

#include "exporter/resolve/pin_blobs.hpp"
#include "tests/unit/exporter/pinned_images.hpp"

using namespace airgap;
using exporter::survivors_of;
using exporter::testing::image_of;
using exporter::testing::pinned;

namespace {

exporter::FetchReport without(const std::string& content) {
  exporter::FetchReport report;
  report.failed.emplace(hash::sha256_of(content), diag::NetworkError("the line dropped"));
  return report;
}

}  // namespace

TEST_CASE("a blob that did not arrive takes every image with it that names it, and no other") {
  const auto images = pinned({image_of("h.example/a:1", {"base", "only a"}),
                              image_of("h.example/b:1", {"base"}), image_of("h.example/c:1", {"another"})});
  const auto survivors = survivors_of(images, without("base"));
  REQUIRE(survivors.pinned.images.size() == 1);
  CHECK(survivors.pinned.images[0].name.str() == "h.example/c:1");
  REQUIRE(survivors.left_out.size() == 2);
  CHECK(survivors.left_out[0].second.message() == "the line dropped");
}

TEST_CASE("of blobs that a want-list names those stay that arrived, and the others are left out by image") {
  const auto sought = [](const std::string& content, const std::string& image) {
    return exporter::SoughtBlob{{hash::sha256_of(content), content.size(), {}, {}},
                                image::Reference::parse(image)};
  };
  exporter::PinnedImages images;
  const image::Reference repository{.registry = "h.example", .repository = "a"};
  exporter::pin_blobs({{repository, "inside"}, {sought("x", "h.example/a:1"), sought("y", "h.example/a:2")}},
                      images);
  const auto survivors = survivors_of(images, without("y"));
  REQUIRE(survivors.pinned.images.size() == 1);
  CHECK(survivors.pinned.images[0].name != images.images[0].name);
  REQUIRE(survivors.pinned.images[0].graph.layers.size() == 1);
  CHECK(survivors.pinned.images[0].graph.layers[0].digest == hash::sha256_of("x"));
  REQUIRE(survivors.left_out.size() == 1);
  CHECK(survivors.left_out[0].first.str() == "h.example/a:2");
}

TEST_CASE("a config that did not arrive counts like a layer") {
  const auto survivors =
      survivors_of(pinned({image_of("h.example/a:1", {})}), without("config of h.example/a:1"));
  CHECK(survivors.pinned.images.empty());
}

TEST_CASE("what accompanies an image that falls out falls out with it, and says why") {
  const auto app = image_of("h.example/app:1", {"layer"});
  auto signature = image_of("h.example/app:sha256-1.sig", {"signature"});
  signature.subject = app.source_digest;
  const auto survivors = survivors_of(pinned({app, signature}), without("layer"));
  CHECK(survivors.pinned.images.empty());
  REQUIRE(survivors.left_out.size() == 2);
  CHECK(survivors.left_out[1].first.str() == "h.example/app:sha256-1.sig");
  CHECK(survivors.left_out[1].second.message() ==
        "what it accompanies is left out: " + app.source_digest.str());
}
