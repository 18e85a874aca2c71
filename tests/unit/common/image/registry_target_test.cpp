#include <doctest/doctest.h>

#include "common/diag/error.hpp"
#include "common/image/reference.hpp"

namespace airgap::image {
namespace {

TEST_CASE("the first component of a destination is a host, with a dot or without") {
  struct Row {
    const char *given, *registry, *prefix;
  };
  constexpr Row k_table[] = {
      {"harbor/library", "harbor", "library"},         {"harbor", "harbor", ""},
      {"registry.internal/", "registry.internal", ""}, {"localhost:5000/a/b/", "localhost:5000", "a/b"},
      {"[::1]:5000/mirror", "[::1]:5000", "mirror"},   {"index.docker.io/org", "docker.io", "org"},
  };
  for (const auto& [given, registry, prefix] : k_table) {
    CAPTURE(std::string(given));
    const RegistryTarget target = RegistryTarget::parse(given);
    CHECK(target.registry == registry);
    CHECK(target.prefix == prefix);
    CHECK(RegistryTarget::parse(target.str()) == target);
  }
}

TEST_CASE("what is no destination is refused") {
  struct Row {
    const char *text, *why;
  };
  constexpr Row k_table[] = {
      {"", "the registry's host is missing"},
      {"/prefix", "the registry's host is missing"},
      {"https://registry.internal", "leave out what stands before and with '://'"},
      {"registry.internal/app:1", "it has no tag and no digest"},
      {"registry.internal/app@sha256:0", "it has no tag and no digest"},
      {"registry.internal//a", "a '/' has nothing before or after it"},
      {"registry.internal/a//", "a '/' has nothing before or after it"},
      {"registry.internal//", "a '/' has nothing before or after it"},
      {"registry.internal/Team", "upper-case"},
      {"registry.internal/../x", "must start and end"},
      {"registry.internal:port/x", "is no port number"},
      {"user:secret@registry/x", "is no port number"},
      {"-d/x", "cannot be part of a host name"},
  };
  for (const auto& [text, why] : k_table) {
    CAPTURE(std::string(text));
    CHECK_THROWS_WITH_AS(RegistryTarget::parse(text), doctest::Contains(why), diag::FormatError);
  }
}

TEST_CASE("a path is placed below the prefix, and a hostile one is refused") {
  const RegistryTarget target = RegistryTarget::parse("registry.internal/mirror");
  CHECK(target.place("org/app:1").str() == "registry.internal/mirror/org/app:1");
  const std::string digest = "sha256:" + std::string(64, '1');
  CHECK(target.place("app@" + digest).str() == "registry.internal/mirror/app@" + digest);
  CHECK(RegistryTarget::parse("registry").place("app").str() == "registry/app");
  for (const std::string path : {"", "../app", "/app", "app:", "a b", "App", "app@sha256:0", "x/../../y:1"}) {
    CAPTURE(path);
    CHECK_THROWS_AS(target.place(path), diag::FormatError);
  }
  CHECK_THROWS_WITH_AS(target.place(std::string(250, 'a')), doctest::Contains("257 characters long"),
                       diag::FormatError);
}

}  // namespace
}  // namespace airgap::image
