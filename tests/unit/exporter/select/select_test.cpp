#include "exporter/select/select.hpp"

#include <doctest/doctest.h>

#include "common/diag/error.hpp"
#include "tests/support/temp_dir.hpp"

using namespace airgap;
using exporter::select;

TEST_CASE("short names are completed and a name given twice is taken once") {
  const auto selection = select({.images = {"nginx", "docker.io/library/nginx:latest", "quay.io/org/app:1"},
                                 .from_files = {},
                                 .platforms = {"linux/arm64"}});
  REQUIRE(selection.images.size() == 2);
  CHECK(selection.images[0].name.str() == "docker.io/library/nginx:latest");
  CHECK(selection.images[1].name.str() == "quay.io/org/app:1");
  CHECK(selection.platforms.general.str() == "linux/arm64");
  CHECK_FALSE(selection.default_platform);
}

TEST_CASE("short names of the command line and of plain lists are expanded, those of a YAML are not") {
  const test::TempDir dir;
  const auto selection =
      select({.images = {"app:1"},
              .from_files = {dir.write("images.txt", "app:2\n"),
                             dir.write("sync.yaml", "a.example:\n  images:\n    app: ['3']\n")},
              .platforms = {"all", "app:1=linux/arm64"},
              .expand_short_name = [](const std::string& text) { return "quay.io/org/" + text; }});
  REQUIRE(selection.images.size() == 3);
  CHECK(selection.images[0].name.str() == "quay.io/org/app:1");
  CHECK(selection.platforms.of(selection.images[0].name).str() == "linux/arm64");
  CHECK(selection.images[1].name.str() == "quay.io/org/app:2");
  CHECK(selection.images[2].name.str() == "a.example/app:3");
}

TEST_CASE("without --platform this machine's is chosen, and the selection says so") {
  const auto selection = select({.images = {"nginx"}, .from_files = {}, .platforms = {}});
  CHECK(selection.default_platform);
  CHECK(selection.platforms.general.str() == image::host_platform().str());
}

TEST_CASE("a selection that cannot be meant is a usage error") {
  struct Row {
    std::vector<std::string> images;
    std::vector<std::string> from;
    std::vector<std::string> platforms;
    const char* message;
  };
  const Row rows[] = {
      {{}, {}, {}, "no images are selected"},
      {{"nginx/Upper"}, {}, {}, "upper-case"},
      {{"nginx:bad tag"}, {}, {}, "tag"},
      {{"nginx@sha256:12"}, {}, {}, "digest"},
      {{"nginx"}, {"/nonexistent/list"}, {}, "cannot read the list"},
      {{"nginx"}, {}, {"linux"}, "--platform: bad platform"},
      {{"nginx"}, {}, {"all", "linux/amd64"}, "`all` stands alone"},
      {{"nginx"}, {}, {"=all"}, "--platform: bad image name"},
      {{"nginx"}, {}, {"nginx="}, "--platform: bad platform"},
      {{"nginx:1"}, {}, {"nginx:2=all"}, "--platform nginx:2=all: docker.io/library/nginx:2 is not selected"},
      {{"nginx:1"},
       {},
       {"nginx=all", "nginx=linux/amd64"},
       "--platform nginx=all and --platform nginx=linux"},
      {{"nginx:1"}, {}, {"nginx@sha256:" + std::string(64, 'a') + "=all"}, "travels whole"},
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

TEST_CASE("platforms of an image go before those of its repository, and these before the general ones") {
  const test::TempDir dir;
  dir.write("list",
            "quay.io: {images: {org/app: [1, 2, 3], org/web: [1]}, platforms: {org/app: linux/s390x, "
            "'org/app:2': all, org/web: linux/s390x}}\n");
  const auto selection = select({.images = {"nginx:1", "redis:7"},
                                 .from_files = {dir.path("list")},
                                 .platforms = {"linux/amd64", "nginx=linux/arm64", "linux/386",
                                               "quay.io/org/web:1=linux/riscv64", "quay.io/org/app:3=all"}});
  struct Row {
    const char *name, *platforms;
  };
  const Row rows[] = {{"nginx:1", "linux/arm64"},           {"redis:7", "linux/amd64,linux/386"},
                      {"quay.io/org/app:1", "linux/s390x"}, {"quay.io/org/app:2", "all"},
                      {"quay.io/org/app:3", "all"},         {"quay.io/org/web:1", "linux/riscv64"}};
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(selection.platforms.of(image::Reference::parse(row.name)).str() == row.platforms);
  }
  CHECK_FALSE(selection.default_platform);
}

TEST_CASE("the command line narrows every list of tags, and a number in a list of images goes first") {
  const test::TempDir dir;
  dir.write("list", "quay.io: {images: {a: [], b: []}, newest: {b: 7}, exclude: {b: beta}}\n");
  const auto selection = select(
      {.images = {"c"}, .from_files = {dir.path("list")}, .all_tags = true, .exclude = {"rc"}, .newest = 3});
  REQUIRE(selection.repositories.size() == 3);
  for (const auto& wanted : selection.repositories) {
    CAPTURE(wanted.repository.str());
    const bool is_b = wanted.repository.repository == "b";
    CHECK(wanted.filter.newest() == (is_b ? 7 : 3));
    CHECK(wanted.filter.takes("1.0"));
    CHECK_FALSE(wanted.filter.takes("1.0-rc1"));
    CHECK_FALSE(wanted.filter.takes("latest"));
    CHECK(wanted.filter.takes("1.0-beta1") == !is_b);
  }
}

TEST_CASE("narrowing what is not listed, or by what is no pattern, is a usage error") {
  struct Row {
    exporter::SelectOptions options;
    const char* message;
  };
  const Row rows[] = {
      {{.images = {"nginx"}, .exclude = {"rc"}}, "--exclude chooses among listed tags, and none are listed"},
      {{.images = {"nginx"}, .newest = 1}, "--newest chooses among listed tags, and none are listed"},
      {{.images = {"nginx"}, .all_tags = true, .exclude = {"("}}, "--exclude: bad regular expression '('"},
      {{.images = {"nginx"}, .all_tags = true, .exclude = {""}}, "--exclude: bad regular expression ''"},
  };
  for (const Row& row : rows) {
    CHECK_THROWS_WITH_AS(select(row.options), doctest::Contains(row.message), diag::UsageError);
  }
}

TEST_CASE("names inside: the command line, then the lists, then the way of naming") {
  const test::TempDir dir;
  dir.write("list",
            "quay.io: {images: {org/app: [1, 2], org/web: [1]}, targets: {org/app: base/app, 'org/app:2': "
            "'base/app:stable', org/web: web}}\n");
  const auto selection = select({.images = {"nginx:1"}, .from_files = {dir.path("list")}});
  image::Mapping asked{.mode = image::NameMode::flat};
  asked.add_rule("quay.io/org/web=front/web");
  const image::Mapping names = names_inside(selection, asked);
  struct Row {
    const char *name, *inside;
  };
  const Row rows[] = {{"nginx:1", "nginx:1"},
                      {"quay.io/org/app:1", "base/app:1"},
                      {"quay.io/org/app:2", "base/app:stable"},
                      {"quay.io/org/web:1", "front/web:1"}};
  for (const Row& row : rows) CHECK(names.inside(image::Reference::parse(row.name)) == row.inside);
}

TEST_CASE("two lists must agree about an image") {
  const test::TempDir dir;
  dir.write("a", "quay.io: {images: {app: [1]}, targets: {app: one}}\n");
  dir.write("b", "quay.io: {images: {app: [1]}, targets: {app: two}}\n");
  dir.write("c", "quay.io: {images: {app: [2]}, targets: {app: one}}\n");
  CHECK_THROWS_WITH_AS(
      select({.from_files = {dir.path("a"), dir.path("b")}}),
      doctest::Contains(
          (dir.path("b") + ":1:46: " + dir.path("a") + ":1:46 says otherwise of quay.io/app").c_str()),
      diag::UsageError);
  CHECK(select({.from_files = {dir.path("a"), dir.path("c")}}).targets.all().size() == 1);
}
