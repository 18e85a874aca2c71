#include "importer/receipt_of.hpp"

#include <doctest/doctest.h>

#include "tests/unit/importer/placements.hpp"

using namespace airgap;
using importer::receipt_of;
using importer::testing::blob;
using importer::testing::k_where;
using importer::testing::placement;

namespace {

delivery::Plan plan_of(std::vector<delivery::Placement> placements) {
  delivery::Plan plan;
  plan.placements = std::move(placements);
  return plan;
}

std::vector<std::string> targets_of(const bundle::Receipt& receipt) {
  std::vector<std::string> targets;
  for (const auto& image : receipt.images) targets.push_back(image.target.str());
  return targets;
}

/// Where a receipt says that this content is; empty when it does not.
std::string place_of(const bundle::Receipt& receipt, const std::string& content) {
  for (const auto& held : receipt.blobs) {
    if (held.digest == hash::sha256_of(content)) return held.repository;
  }
  return {};
}

}  // namespace

TEST_CASE("a receipt has the images that are in place, by target, and their configs and layers") {
  const auto plan = plan_of({placement("team/web", {"web"}), placement("team/app", {"app"})});
  const bundle::Receipt receipt = receipt_of(plan, {true, true}, k_where);
  CHECK(receipt.registry == k_where);
  CHECK(targets_of(receipt) ==
        std::vector<std::string>{"r.example/in/team/app:1", "r.example/in/team/web:1"});
  CHECK(receipt.images[0].name.str() == "src.example/team/app:1");
  CHECK(receipt.images[0].digest == plan.placements[1].digest);
  CHECK(receipt.blobs.size() == 4);
  CHECK(place_of(receipt, "web") == "in/team/web");
  CHECK(place_of(receipt, "config of team/app") == "in/team/app");
}

TEST_CASE("an image that failed is left out, with the blobs that it alone has") {
  const auto plan = plan_of({placement("team/a", {"shared", "only a"}), placement("team/b", {"shared"})});
  const bundle::Receipt receipt = receipt_of(plan, {false, true}, k_where);
  CHECK(targets_of(receipt) == std::vector<std::string>{"r.example/in/team/b:1"});
  CHECK(place_of(receipt, "shared") == "in/team/b");
  CHECK(place_of(receipt, "only a") == "");
}

TEST_CASE("a blob of several repositories stands under the first by name, whatever the order of images") {
  const auto a = placement("team/a", {"shared"});
  const auto b = placement("team/b", {"shared"});
  const bundle::Receipt receipt = receipt_of(plan_of({a, b}), {true, true}, k_where);
  CHECK(place_of(receipt, "shared") == "in/team/a");
  CHECK(receipt_of(plan_of({b, a}), {true, true}, k_where) == receipt);
}

TEST_CASE("a tag is told with what it stood for before") {
  auto plan = plan_of({placement("team/a", {}), placement("team/b", {}), placement("team/c", {})});
  const hash::Digest older = hash::sha256_of("older");
  plan.tags = {{0, plan.placements[0].target, plan.placements[0].digest, older},
               {1, plan.placements[1].target, plan.placements[1].digest, std::nullopt},
               {2, plan.placements[2].target, plan.placements[2].digest, older}};
  const bundle::Receipt receipt = receipt_of(plan, {true, true, false}, k_where);
  REQUIRE(receipt.images.size() == 2);
  CHECK(receipt.images[0].before == older);
  CHECK(receipt.images[1].before == std::nullopt);
}
