#include "exporter/replaced_folders.hpp"

#include <doctest/doctest.h>

#include "tests/unit/exporter/earlier_place.hpp"

using namespace airgap;
using exporter::replaced_folders;
using exporter::testing::EarlierPlace;

TEST_CASE("a folder that gets another image is told with what it held, and no other one") {
  EarlierPlace earlier;
  const hash::Digest before = earlier.add("h.example/moved:1", "old");
  earlier.add("h.example/same:1", "same");
  EarlierPlace now;
  now.add("h.example/moved:1", "new");
  now.add("h.example/new:1", "another");
  now.add("h.example/same:1", "same");
  const auto& images = now.existing()->images;
  const auto replaced = replaced_folders(images, earlier);
  REQUIRE(replaced.size() == 1);
  CHECK(replaced[0].image == &images[0]);
  CHECK(replaced[0].before == before);
}

TEST_CASE("an empty place has no folders to be replaced") {
  EarlierPlace now;
  now.add("h.example/app:1", "app");
  CHECK(replaced_folders(now.existing()->images, EarlierPlace()).empty());
}
