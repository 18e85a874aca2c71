#include "exporter/plan/holdings.hpp"

#include <doctest/doctest.h>

#include "common/diag/error.hpp"
#include "tests/unit/exporter/earlier_place.hpp"
#include "tests/unit/exporter/pinned_images.hpp"

using namespace airgap;
using exporter::holdings_of;
using exporter::testing::EarlierPlace;
using exporter::testing::image_of;
using exporter::testing::pinned;
using image::NameMode;

namespace {

std::vector<std::string> kept_in(const exporter::Holdings& holdings) {
  std::vector<std::string> names;
  for (const auto& image : holdings.kept) names.push_back(image.name.str());
  return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("a place tells what lies in it") {
  EarlierPlace place;
  place.add("h.example/a:1", "a");
  const auto holdings = holdings_of(place, pinned({}), false, NameMode::path);
  CHECK(holdings.info == place.existing());
  CHECK(holdings.finished);
  const hash::Digest digest = hash::sha256_of("x");
  CHECK(holdings.has_blob({digest, 1, bundle::BlobKind::config, 1}));
  CHECK_FALSE(holdings.has_blob({digest, 1, bundle::BlobKind::layer, 1}));
  CHECK(holdings.partial_bytes({digest, 1, bundle::BlobKind::layer, 1}) == 7);
}

TEST_CASE("a place without a bundle holds no images") {
  CHECK(holdings_of(EarlierPlace(), pinned({}), true, NameMode::path).kept.empty());
}

TEST_CASE("images beside the selection stay where a form keeps them") {
  EarlierPlace place;
  place.add("h.example/a:1", "a");
  place.add("h.example/b:1", "b");
  place.add("h.example/c:1", "c");
  const auto selected = pinned({image_of("h.example/b:1", {"layer"})});
  CHECK(kept_in(holdings_of(place, selected, true, NameMode::path)) ==
        Names{"h.example/a:1", "h.example/c:1"});
  CHECK(kept_in(holdings_of(place, selected, false, NameMode::path)).empty());
}

TEST_CASE("what stays keeps its name inside as long as names are made in the same way") {
  EarlierPlace place;
  place.add("h.example/a:1", "a");
  CHECK(holdings_of(place, pinned({}), true, NameMode::path).kept.at(0).target == "inside/a:1");
  CHECK(holdings_of(place, pinned({}), true, NameMode::flat).kept.at(0).target == std::nullopt);
}

TEST_CASE("a signature stays with its image and leaves with it") {
  EarlierPlace place;
  const hash::Digest app = place.add("h.example/app:1", "app");
  place.add("h.example/app:sha256-1.sig", "signature", app);
  CHECK(kept_in(holdings_of(place, pinned({}), true, NameMode::path)).size() == 2);
  // The tag stands for another image now.
  CHECK(kept_in(holdings_of(place, pinned({image_of("h.example/app:1", {})}), true, NameMode::path)).empty());
}

TEST_CASE("an image that has lost a manifest is not kept in silence") {
  EarlierPlace place;
  place.lose(place.add("h.example/a:1", "a"));
  CHECK_THROWS_WITH_AS(holdings_of(place, pinned({}), true, NameMode::path),
                       doctest::Contains("the existing bundle has lost manifest sha256:"),
                       diag::IntegrityError);
  CHECK(holdings_of(place, pinned({image_of("h.example/a:1", {})}), true, NameMode::path).kept.empty());
}
