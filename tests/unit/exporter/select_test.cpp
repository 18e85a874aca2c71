#include "exporter/select.hpp"

#include <doctest/doctest.h>

#include "common/diag/error.hpp"
#include "tests/support/temp_dir.hpp"

using namespace airgap;
using exporter::select;

TEST_CASE("short names are completed and a name given twice is taken once") {
  const auto selection = select({.images = {"nginx", "docker.io/library/nginx:latest", "quay.io/org/app:1"},
                                 .from_files = {},
                                 .platforms = "linux/arm64"});
  REQUIRE(selection.images.size() == 2);
  CHECK(selection.images[0].name.str() == "docker.io/library/nginx:latest");
  CHECK(selection.images[1].name.str() == "quay.io/org/app:1");
  CHECK(selection.platform_choice == "linux/arm64");
  CHECK_FALSE(selection.default_platform);
}

TEST_CASE("without --platform this machine's is chosen, and the selection says so") {
  const auto selection = select({.images = {"nginx"}, .from_files = {}, .platforms = {}});
  CHECK(selection.default_platform);
  CHECK(selection.platform_choice == image::host_platform().str());
}

TEST_CASE("a selection that cannot be meant is a usage error") {
  struct Row {
    std::vector<std::string> images;
    std::vector<std::string> from;
    std::string platforms;
    const char* message;
  };
  const Row rows[] = {
      {{}, {}, "", "no images are selected"},
      {{"nginx/Upper"}, {}, "", "upper-case"},
      {{"nginx:bad tag"}, {}, "", "tag"},
      {{"nginx@sha256:12"}, {}, "", "digest"},
      {{"nginx"}, {"/nonexistent/list"}, "", "cannot read the list"},
      {{"nginx"}, {}, "linux", "platform"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.message);
    CHECK_THROWS_WITH_AS(select({.images = row.images, .from_files = row.from, .platforms = row.platforms}),
                         doctest::Contains(row.message), diag::UsageError);
  }
}

TEST_CASE("--all-tags takes all tags of names that have none, and leaves the others") {
  const auto selection =
      select({.images = {"nginx", "quay.io/org/app:1"}, .from_files = {}, .platforms = {}, .all_tags = true});
  REQUIRE(selection.repositories.size() == 1);
  CHECK(selection.repositories[0].repository.str() == "docker.io/library/nginx");
  REQUIRE(selection.images.size() == 1);
  CHECK(selection.images[0].name.str() == "quay.io/org/app:1");
  CHECK_THROWS_WITH_AS(select({.images = {"nginx:1"}, .from_files = {}, .platforms = {}, .all_tags = true}),
                       doctest::Contains("--all-tags has no image"), diag::UsageError);
}

TEST_CASE("lists of both kinds and names make one selection") {
  const test::TempDir dir;
  dir.write("plain", "quay.io/org/app:1\nnginx\n");
  dir.write("yaml", "quay.io: {images: {org/app: [1, 2], org/all: []}}\n");
  const auto selection = select({.images = {"quay.io/org/app:2"},
                                 .from_files = {dir.path("plain"), dir.path("yaml")},
                                 .platforms = {}});
  std::vector<std::string> names;
  for (const auto& wanted : selection.images) names.push_back(wanted.name.str());
  CHECK(names ==
        std::vector<std::string>{"quay.io/org/app:2", "quay.io/org/app:1", "docker.io/library/nginx:latest"});
  REQUIRE(selection.repositories.size() == 1);
  CHECK(selection.repositories[0].place == dir.path("yaml") + ":1:37");
}

TEST_CASE("two lists must agree about a registry") {
  const test::TempDir dir;
  dir.write("a", "quay.io: {images: {a: [1]}, tls-verify: false}\n");
  dir.write("b", "quay.io: {images: {b: [1]}, tls-verify: true}\n");
  dir.write("c", "quay.io: {images: {c: [1]}}\n");
  CHECK_THROWS_WITH_AS(select({.images = {}, .from_files = {dir.path("a"), dir.path("b")}, .platforms = {}}),
                       doctest::Contains("says of quay.io what another list does not"), diag::UsageError);
  const auto selection =
      select({.images = {}, .from_files = {dir.path("a"), dir.path("c")}, .platforms = {}});
  CHECK(selection.registries.at("quay.io").verify_tls == false);
}
