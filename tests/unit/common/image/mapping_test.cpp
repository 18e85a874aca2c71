#include "common/image/mapping.hpp"

#include <doctest/doctest.h>

#include "common/diag/error.hpp"

namespace airgap::image {
namespace {

const std::string k_digest = "sha256:" + std::string(64, '7');
const RegistryTarget k_where{.registry = "registry.internal", .prefix = "mirror"};

std::string mapped(const Mapping& mapping, const std::string& source) {
  return mapping.target(Reference::parse(source), k_where).str();
}

Mapping with_rules(std::initializer_list<const char*> rules, NameMode mode = NameMode::path) {
  Mapping mapping{.mode = mode};
  for (const char* rule : rules) mapping.add_rule(rule);
  return mapping;
}

TEST_CASE("each way of naming keeps its part of the source name") {
  struct Row {
    const char *source, *path, *scoped, *flat;
  };
  constexpr Row k_table[] = {
      {"quay.io/org/app:1", "org/app:1", "quay.io/org/app:1", "app:1"},
      {"nginx:1.27", "library/nginx:1.27", "docker.io/library/nginx:1.27", "nginx:1.27"},
      {"registry:5000/a/b:2", "a/b:2", "registry-5000/a/b:2", "b:2"},
      {"MyHost:80/app:1", "app:1", "myhost-80/app:1", "app:1"},
      {"[::1]:5000/app:1", "app:1", "1-5000/app:1", "app:1"},
      {"[fe80::]/app:1", "app:1", "fe80/app:1", "app:1"},
  };
  for (const auto& [source, path, scoped, flat] : k_table) {
    CAPTURE(std::string(source));
    CHECK(mapped({.mode = NameMode::path}, source) == "registry.internal/mirror/" + std::string(path));
    CHECK(mapped({.mode = NameMode::scoped}, source) == "registry.internal/mirror/" + std::string(scoped));
    CHECK(mapped({.mode = NameMode::flat}, source) == "registry.internal/mirror/" + std::string(flat));
    CHECK(Mapping{.mode = NameMode::scoped}.inside(Reference::parse(source)) == scoped);
  }
  CHECK(Mapping{}.target(Reference::parse("quay.io/a/b:1"), {.registry = "r"}).str() == "r/a/b:1");
}

TEST_CASE("an image by digest stays one by digest, and a tag beside it is kept") {
  CHECK(mapped({}, "quay.io/org/app@" + k_digest) == "registry.internal/mirror/org/app@" + k_digest);
  CHECK(mapped({}, "quay.io/org/app:1@" + k_digest) == "registry.internal/mirror/org/app:1@" + k_digest);
}

TEST_CASE("the most specific rule wins, whatever their order") {
  const Mapping mapping =
      with_rules({"quay.io/=all/", "quay.io/org/app:1=exact/one:uno", "quay.io/org/app=exact/app",
                  "quay.io/org/=org", "nginx=web/nginx", "docker.io/=hub/", "other.io/x/="},
                 NameMode::flat);
  struct Row {
    std::string source, inside;
  };
  const Row k_table[] = {
      {"quay.io/org/app:1", "exact/one:uno"},
      {"quay.io/org/app:1@" + k_digest, "exact/one:uno@" + k_digest},
      {"quay.io/org/app:2", "exact/app:2"},
      {"quay.io/org/app@" + k_digest, "exact/app@" + k_digest},
      {"quay.io/org/tool/x:1", "org/tool/x:1"},
      {"quay.io/organic/x:1", "all/organic/x:1"},
      {"nginx:1", "web/nginx:1"},
      {"redis:1", "hub/library/redis:1"},
      {"other.io/x/deep/y:1", "deep/y:1"},
      {"other.io/z/y:1", "y:1"},
  };
  for (const auto& [source, inside] : k_table) {
    CAPTURE(std::string(source));
    CHECK(mapping.inside(Reference::parse(source)) == inside);
  }
}

TEST_CASE("what is listed comes after the rules and before the mode, a tag before its repository") {
  Mapping mapping = with_rules({"quay.io/org/web=front/web"}, NameMode::flat);
  mapping.listed = {{"quay.io/org/app", "base/app"},
                    {"quay.io/org/app:2", "base/app:stable"},
                    {"quay.io/org/web", "listed/web"}};
  struct Row {
    std::string source, inside;
  };
  const Row k_table[] = {
      {"quay.io/org/app:1", "base/app:1"},  {"quay.io/org/app:2", "base/app:stable"},
      {"quay.io/org/web:1", "front/web:1"}, {"quay.io/org/app@" + k_digest, "base/app@" + k_digest},
      {"quay.io/org/other:1", "other:1"},
  };
  for (const auto& [source, inside] : k_table) CHECK(mapping.inside(Reference::parse(source)) == inside);
}

TEST_CASE("malformed rules are refused") {
  struct Row {
    const char *text, *why;
  };
  constexpr Row k_table[] = {
      {"quay.io/org/app", "there is no '='"},
      {"=team/app", "it is empty"},
      {"/=team/", "bad mapping"},
      {"quay.io/App=team/app", "upper-case"},
      {"quay.io/app=", "the repository is missing"},
      {"quay.io/app=Team/app", "upper-case"},
      {"quay.io/app=../app", "must start and end"},
      {"quay.io/app=/team/app", "a '/' has nothing"},
      {"quay.io/app=team/", "a '/' has nothing"},
      {"quay.io/app=team/app:1", "TO has a tag, so FROM needs one"},
      {"quay.io/org/=team/app:1", "a prefix cannot get a tag"},
      {"quay.io/org/=../", "must start and end"},
      {"quay.io/org/=a//", "a '/' has nothing"},
      {"quay.io/a//=team/", "a '/' has nothing"},
      {"quay.io/app@sha256:7777777777777777777777777777777777777777777777777777777777777777=a",
       "FROM has a digest"},
      {"quay.io/app=a@sha256:7777777777777777777777777777777777777777777777777777777777777777",
       "TO has a digest"},
      {"quay.io/app=a=b", "may not occur in a repository"},
  };
  for (const auto& [text, why] : k_table) {
    CAPTURE(std::string(text));
    CHECK_THROWS_WITH_AS(MapRule::parse(text), doctest::Contains(why), diag::FormatError);
    CHECK_THROWS_WITH_AS(MapRule::parse(text), doctest::Contains("bad mapping '"), diag::FormatError);
  }
}

TEST_CASE("one name cannot be sent to two places") {
  Mapping mapping = with_rules({"nginx=a/nginx", "nginx=a/nginx"});
  CHECK(mapping.rules.size() == 1);
  CHECK_THROWS_WITH_AS(mapping.add_rule("docker.io/library/nginx=b/nginx"),
                       doctest::Contains("already goes to 'a/nginx'"), diag::FormatError);
}

TEST_CASE("a name that becomes too long or malformed inside is refused before anything is sent") {
  const std::string source = "quay.io/" + std::string(250, 'a') + ":1";
  CHECK_THROWS_WITH_AS(mapped({}, source),
                       doctest::Contains("257 characters long, and registries take at most 255"),
                       diag::FormatError);
}

TEST_CASE("two sources with one target collide") {
  const Mapping flat{.mode = NameMode::flat};
  std::vector<Naming> names;
  for (const std::string& source :
       {std::string("quay.io/b/app:1"), std::string("quay.io/a/app:1"), std::string("quay.io/a/app:1"),
        std::string("quay.io/a/app:2"), "quay.io/a/other@" + k_digest, "quay.io/b/other@" + k_digest}) {
    const Reference reference = Reference::parse(source);
    names.push_back({reference, flat.target(reference, k_where)});
  }
  const std::vector<Collision> collisions = find_collisions(names);
  REQUIRE(collisions.size() == 1);
  CHECK(collisions[0].str() ==
        "quay.io/a/app:1 and quay.io/b/app:1 would both become registry.internal/mirror/app:1");
  CHECK(collisions[0].hint() == "keep them apart with --scoped, or name another target with --map FROM=TO");
}

TEST_CASE("one name with two digests collides with itself") {
  const Reference first = Reference::parse("quay.io/a/app:1@" + k_digest);
  const Reference second = Reference::parse("quay.io/a/app:1@sha256:" + std::string(64, '8'));
  const std::vector<Naming> names{{first, Mapping{}.target(first, k_where)},
                                  {second, Mapping{}.target(second, k_where)}};
  REQUIRE(find_collisions(names).size() == 1);
  CHECK(find_collisions(names)[0].sources == std::vector<Reference>{first, second});
  CHECK(find_collisions(names)[0].hint() ==
        "one tag cannot stand for several digests: leave all of them but one out");
}

TEST_CASE("two names of one repository for one digest do not collide, two repositories do") {
  const auto naming = [](const std::string& source) {
    const Reference reference = Reference::parse(source);
    return Naming{reference, Mapping{}.target(reference, k_where), k_digest};
  };
  CHECK(
      find_collisions(std::vector{naming("quay.io/a/app:1"), naming("quay.io/a/app:1@" + k_digest)}).empty());
  CHECK(find_collisions(std::vector{naming("quay.io/a/app:1"), naming("ghcr.io/a/app:1")}).size() == 1);
}

TEST_CASE("ways of naming have names") {
  for (const NameMode mode : {NameMode::path, NameMode::scoped, NameMode::flat}) {
    CHECK(parse_name_mode(name_of(mode)) == mode);
  }
  CHECK_THROWS_WITH_AS(parse_name_mode("deep"), doctest::Contains("unknown way of naming 'deep'"),
                       diag::FormatError);
}

}  // namespace
}  // namespace airgap::image
