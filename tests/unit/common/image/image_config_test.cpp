#include "common/image/image_config.hpp"

#include <doctest/doctest.h>

#include "common/diag/error.hpp"

namespace airgap::image {
namespace {

TEST_CASE("a config names the platform of its image") {
  const Platform platform = parse_config_platform(
      R"({"architecture":"arm64","os":"linux","variant":"v8","os.version":"1","config":{"Env":["A=1"]},"rootfs":{}})");
  CHECK(platform.str() == "linux/arm64/v8");
  CHECK(platform.os_version == "1");
}

TEST_CASE("what build tools put inside does not matter") {
  const char* text =
      R"({"os":"linux","architecture":"amd64","config":{"Labels":{"A":"1","a":"2"},"Volumes":{"/Data":{},"/data":{}},)"
      R"("ExposedPorts":{"80/tcp":{},"80/TCP":{}}},"container_config":{"Cmd":null,"cmd":null}})";
  CHECK(parse_config_platform(text).str() == "linux/amd64");
}

TEST_CASE("a config that says nothing gives an unknown platform") {
  CHECK(parse_config_platform("{}").str() == "unknown");
  CHECK(parse_config_platform(R"({"os":null})") == Platform{});
}

TEST_CASE("an ambiguous or malformed config is refused") {
  for (const char* bad :
       {"", "[]", R"({"os":1})", R"({"os":"linux","OS":"windows"})", R"({"os":"a","os":"b"})", "{}}"}) {
    CAPTURE(std::string(bad));
    CHECK_THROWS_AS(parse_config_platform(bad), diag::FormatError);
  }
}

}  // namespace
}  // namespace airgap::image
