#include "common/text/hex.hpp"

#include <doctest/doctest.h>

#include <array>

namespace airgap::text {
namespace {

TEST_CASE("bytes become lower-case digits and come back") {
  const std::array bytes{std::byte{0x00}, std::byte{0x9f}, std::byte{0xff}};
  CHECK(to_hex(bytes) == "009fff");
  std::array<std::byte, 3> back{};
  CHECK(from_lower_hex("009fff", back));
  CHECK(back == bytes);
  CHECK(to_hex({}).empty());
}

TEST_CASE("other digits and other lengths are refused") {
  std::array<std::byte, 2> out{};
  for (const std::string_view bad : {"", "00f", "00fff", "00FF", "00fg", "0x00", " 0ff"}) {
    CHECK_FALSE(from_lower_hex(bad, out));
  }
}

}  // namespace
}  // namespace airgap::text
