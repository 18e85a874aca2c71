#include "common/image/platform.hpp"

#include <doctest/doctest.h>

#include "common/diag/error.hpp"

namespace airgap::image {
namespace {

TEST_CASE("platforms are normalised as containerd does it") {
  struct Row {
    const char *given, *normal;
  };
  constexpr Row k_table[] = {
      {"linux/amd64", "linux/amd64"},     {"Linux/x86_64", "linux/amd64"},
      {"linux/x86-64/v1", "linux/amd64"}, {"linux/amd64/v3", "linux/amd64/v3"},
      {"linux/aarch64", "linux/arm64"},   {"linux/arm64/v8", "linux/arm64"},
      {"linux/arm64/8", "linux/arm64"},   {"linux/arm64/v9", "linux/arm64/v9"},
      {"linux/arm", "linux/arm/v7"},      {"linux/arm/6", "linux/arm/v6"},
      {"linux/armhf", "linux/arm/v7"},    {"linux/armel", "linux/arm/v6"},
      {"linux/i386", "linux/386"},        {"macos/arm64", "darwin/arm64"},
      {"linux/ppc64le", "linux/ppc64le"}, {"unknown/unknown", "unknown/unknown"},
  };
  for (const auto& [given, normal] : k_table) {
    CAPTURE(std::string(given));
    CHECK(Platform::parse(given).str() == normal);
    CHECK(Platform::parse(normal).normalized() == Platform::parse(given));
  }
}

TEST_CASE("a filter matches by operating system, architecture and variant") {
  struct Row {
    const char *filter, *platform;
    bool matches;
  };
  constexpr Row k_table[] = {
      {"linux/arm64", "linux/arm64/v8", true},
      {"linux/arm64/v8", "linux/arm64", true},
      {"linux/arm", "linux/arm/v7", true},
      {"linux/arm", "linux/arm/v6", false},
      {"linux/amd64", "linux/amd64/v3", false},
      {"linux/amd64", "windows/amd64", false},
      {"linux/amd64,linux/s390x", "linux/s390x", true},
      {"all", "unknown/unknown", true},
  };
  for (const auto& [filter, platform, matches] : k_table) {
    CAPTURE(std::string(filter));
    CAPTURE(std::string(platform));
    CHECK(PlatformFilter::parse(filter).matches(Platform::parse(platform)) == matches);
  }
  const Platform windows{.os = "windows", .architecture = "amd64", .os_version = "10.0.17763.1"};
  CHECK(PlatformFilter::parse("windows/amd64").matches(windows));
}

TEST_CASE("a filter keeps each platform once and is written as it is read") {
  CHECK(PlatformFilter::parse("linux/arm64/v8,linux/aarch64,linux/amd64").str() == "linux/arm64,linux/amd64");
  CHECK(PlatformFilter::parse("all").str() == "all");
  CHECK(PlatformFilter::host().matches(host_platform()));
  CHECK(host_platform().os == "linux");
}

TEST_CASE("what is no platform is refused") {
  for (const char* bad : {"", "linux", "linux/", "/amd64", "linux/arm/v7/x", "linux/am d64", "linux/amd64,",
                          "all,linux/amd64", "linux/amd64,all", "linux/\x1b", "ALL"}) {
    CAPTURE(std::string(bad));
    CHECK_THROWS_WITH_AS(PlatformFilter::parse(bad), doctest::Contains("bad platform"), diag::FormatError);
  }
}

TEST_CASE("what a registry says of a platform is safe to print") {
  CHECK(Platform{}.str() == "unknown");
  CHECK(Platform{.os = "li\x1bnux", .architecture = "x"}.str() == "li\\x1bnux/x");
}

}  // namespace
}  // namespace airgap::image
