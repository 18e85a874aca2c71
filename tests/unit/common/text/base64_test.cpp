#include "common/text/base64.hpp"

#include <doctest/doctest.h>

namespace airgap::text {
namespace {

TEST_CASE("base64 follows RFC 4648 both ways") {
  constexpr std::pair<const char*, const char*> k_table[] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
      {"\xff\xfe\xfb", "//77"},
  };
  for (const auto& [bytes, encoded] : k_table) {
    CHECK(to_base64(bytes) == encoded);
    CHECK(from_base64(encoded) == bytes);
  }
  std::string every;
  for (int i = 0; i < 256; ++i) every += static_cast<char>(i);
  CHECK(from_base64(to_base64(every)) == every);
}

TEST_CASE("anything but padded standard base64 is refused") {
  for (const std::string bad : {"Z", "Zg", "Zg=", "Zg===", "A===", "====", "=", "Zh==", "Zm9=", "Zm9v\n",
                                " Zm9v", "Zm-v", "Zm_v", "Zg==Zg==", "Z=g=", "Zm9v\xff"}) {
    CAPTURE(bad);
    CHECK(from_base64(bad) == std::nullopt);
  }
}

}  // namespace
}  // namespace airgap::text
