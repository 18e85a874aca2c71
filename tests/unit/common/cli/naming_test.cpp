#include "common/cli/naming.hpp"

#include <doctest/doctest.h>

#include <utility>

#include "common/diag/error.hpp"

namespace airgap::cli {
namespace {

const std::vector<image::Reference> k_images{image::Reference::parse("quay.io/org/app:1.2"),
                                             image::Reference::parse("nginx:1.27")};

image::Mapping mapped(std::vector<std::string> maps) {
  return NamingOptions{.maps = std::move(maps)}.mapping();
}

TEST_CASE("a --map that speaks of an image that is there is none too many") {
  for (const char* rule : {"quay.io/org/app=x", "quay.io/org/app:1.2=x:1", "quay.io/=x/", "quay.io/org/=x/",
                           "nginx=x", "nginx:1.27=x", "docker.io/library/nginx=x", "docker.io/=x/"}) {
    CAPTURE(std::string(rule));
    // A rule that a more specific one is in front of is no typo.
    CHECK_NOTHROW(check_maps(mapped({rule, "quay.io/org/app:1.2=x:1"}), k_images, false));
  }
}

TEST_CASE("a --map that speaks of no image that is there is refused, with what was meant") {
  struct Row {
    const char *rule, *hint;
  };
  constexpr Row k_table[] = {
      {"quay.io/org/ap=x", "did you mean 'quay.io/org/app'?"},
      {"quay.io/org/app:1.3=x", "did you mean 'quay.io/org/app:1.2'?"},
      {"quay.oi/org/=x/", "did you mean 'quay.io/org/'?"},
      {"ngin=x", "did you mean 'docker.io/library/nginx'?"},
      {"foo=x", "there are: docker.io/library/nginx, "},
      {"ghcr.example/something/else=x", "there are: docker.io/library/nginx, docker.io/library/nginx:1.27, "},
      {"ghcr.example/something/=x/", "there are: docker.io/, docker.io/library/, quay.io/, quay.io/org/"},
  };
  for (const auto& [rule, hint] : k_table) {
    CAPTURE(std::string(rule));
    const image::Mapping mapping = mapped({"quay.io/org/app=fine", rule});
    try {
      check_maps(mapping, k_images, false);
      FAIL("it was taken");
    } catch (const diag::UsageError& error) {
      CHECK(error.message().find("is for no image that is here") != std::string::npos);
      CHECK(error.hint().starts_with(hint));
      CHECK(error.hint().ends_with(" --allow-unused-map takes that for nothing to do"));
    }
    CHECK_NOTHROW(check_maps(mapping, k_images, true));
  }
}

}  // namespace
}  // namespace airgap::cli
