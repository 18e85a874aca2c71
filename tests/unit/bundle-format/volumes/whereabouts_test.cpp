#include "bundle-format/volumes/whereabouts.hpp"

#include <doctest/doctest.h>

#include <random>

#include "bundle-format/volumes/volume_plan.hpp"
#include "common/diag/error.hpp"
#include "tests/unit/bundle-format/volumes/blobs_of_sizes.hpp"

using namespace airgap;
using namespace airgap::bundle;
using namespace airgap::bundle::testing;

namespace {

using Numbers = std::vector<std::size_t>;

/// By number, from 1.
Numbers truth(const VolumePlan& plan, std::size_t blob) {
  Numbers numbers;
  for (const PartIndex& at : plan.parts[blob]) numbers.push_back(at.volume + 1);
  return numbers;
}

}  // namespace

TEST_CASE("one volume that was seen says which blobs are in all the others") {
  const BundleInfo info = blobs_of({3000, 40'000, 512, 0, 90'000, 1, 20'000, 20'000, 7000});
  const VolumePlan plan = plan_volumes(k_head, info, 20'000);
  REQUIRE(plan.volumes.size() > 9);
  for (std::size_t seen = 0; seen + 1 < plan.volumes.size(); ++seen) {
    Whereabouts whereabouts(info, k_head, plan.volumes.size());
    CHECK_FALSE(whereabouts.knows());
    whereabouts.learn(plan.volumes[seen]);
    REQUIRE(whereabouts.knows());
    for (std::size_t blob = 0; blob < info.blobs.size(); ++blob)
      CHECK(whereabouts.volumes_of(blob) == truth(plan, blob));
  }
}

TEST_CASE("a guess that was wrong is mended by the volumes to which it led") {
  std::mt19937 random(7);
  std::size_t guessed = 0;
  std::size_t wrong = 0;
  for (int set = 0; set < 60; ++set) {
    std::vector<std::uint64_t> sizes;
    for (int i = 0; i < 30; ++i) sizes.push_back(random() % (i % 3 == 0 ? 20'000 : 1500));
    const BundleInfo info = blobs_of(sizes);
    const VolumePlan plan = plan_volumes(k_head, info, 12'000 + random() % 9000);
    for (std::size_t blob = 0; blob < sizes.size(); ++blob) {
      Whereabouts whereabouts(info, k_head, plan.volumes.size());
      whereabouts.learn(plan.volumes.front());
      const std::size_t where = truth(plan, blob).front();
      std::size_t looked = 0;
      while (whereabouts.volume_of(blob, 0) != where) {
        whereabouts.learn(plan.volumes[whereabouts.volume_of(blob, 0) - 1]);
        REQUIRE(++looked < 3);
      }
      ++guessed;
      wrong += looked == 0 ? 0 : 1;
    }
  }
  CHECK(guessed == 1800);
  CHECK(wrong < guessed / 20);
}

TEST_CASE("volumes that were not filled up are looked for in their order") {
  const BundleInfo info = blobs_of({1000, 1000, 1000, 1000});
  std::vector<VolumeLayout> volumes;
  for (std::size_t i = 0; i < info.blobs.size(); ++i) {
    volumes.emplace_back(members_of(k_head),
                         VolumeInfo{.stream = info.stream,
                                    .sequence = 1,
                                    .number = i + 1,
                                    .count = 4,
                                    .parts = {{.digest = info.blobs[i].digest, .size = 1000}}},
                         created_seconds(info.created));
  }
  volumes[0] = VolumeLayout(
      members_of(k_head),
      VolumeInfo{.stream = info.stream,
                 .sequence = 1,
                 .number = 1,
                 .count = 4,
                 .parts = {{.digest = info.blobs[0].digest, .size = 512, .number = 1},
                           {.digest = info.blobs[0].digest, .offset = 512, .size = 488, .number = 2}}},
      created_seconds(info.created));
  Whereabouts whereabouts(info, k_head, 4);
  CHECK(whereabouts.volume_of(3, 0) == 1);
  whereabouts.learn(volumes[0]);
  CHECK_FALSE(whereabouts.knows());
  CHECK(whereabouts.volume_of(0, 600) == 1);
  CHECK(whereabouts.volume_of(3, 0) == 2);
  whereabouts.learn(volumes[2]);
  CHECK(whereabouts.volume_of(1, 0) == 2);
  CHECK(whereabouts.volume_of(2, 999) == 3);
  CHECK(whereabouts.volume_of(3, 0) == 4);
}

TEST_CASE("volumes that do not go together are refused") {
  const BundleInfo info = blobs_of({40'000, 40'000});
  const VolumePlan plan = plan_volumes(k_head, info, 20'000);
  const VolumePlan other = plan_volumes(k_head, info, 21'000);
  Whereabouts whereabouts(info, k_head, plan.volumes.size());
  whereabouts.learn(plan.volumes[0]);
  CHECK_THROWS_AS(whereabouts.learn(other.volumes[1]), diag::UnsafeError);
}
