#include "common/image/image_list.hpp"

#include <doctest/doctest.h>

#include "common/diag/error.hpp"

using namespace airgap;
using image::parse_image_list;

TEST_CASE("a list has a name a line, with comments, blank lines, CRLF and a BOM") {
  const auto names = parse_image_list(
      "\xef\xbb\xbf# what we ship\r\n\r\n  nginx:1.27  # web\r\nquay.io/org/app@sha256:0\n\tredis",
      "list.txt");
  REQUIRE(names.size() == 3);
  CHECK(names[0].text == "nginx:1.27");
  CHECK(names[0].place == "list.txt:3:3");
  CHECK(names[1].text == "quay.io/org/app@sha256:0");
  CHECK(names[2].text == "redis");
  CHECK(names[2].place == "list.txt:5:2");
}

TEST_CASE("a list that is none is refused with its line and column") {
  struct Row {
    std::string_view text;
    const char* message;
  };
  const Row rows[] = {
      {"nginx redis\n", "list.txt:1:6: more than one name on a line"},
      {"ok\n\x01\n", "list.txt:2:1: byte 0x01"},
      {"caf\xc3\xa9\n", "list.txt:1:4: byte 0xc3"},
      {std::string_view("a\0b", 3), "list.txt:1:2: byte 0x00"},
      {"\xff\xfen\0", "list.txt:1:1: byte 0xff"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.message);
    CHECK_THROWS_WITH_AS(parse_image_list(row.text, "list.txt"), doctest::Contains(row.message),
                         diag::UsageError);
  }
}
