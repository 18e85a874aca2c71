#include "exporter/select.hpp"

#include <doctest/doctest.h>

#include "common/diag/error.hpp"

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
      {{"nginx/Upper"}, {}, "", "lower-case"},
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
