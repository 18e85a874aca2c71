#include "common/text/utf8.hpp"

#include <doctest/doctest.h>

#include <string>

using airgap::text::invalid_utf8_at;

TEST_CASE("valid UTF-8 is passed, and the first byte of what is not is told") {
  for (const char* valid :
       {"", "plain", "gr\xc3\xbc\xc3\x9f", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf"}) {
    CAPTURE(valid);
    CHECK_FALSE(invalid_utf8_at(valid));
  }
  for (const char* invalid :
       {"\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf0\x80\x80\xaf",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xe2\x82", "\xc3("}) {
    CAPTURE(invalid);
    CHECK(invalid_utf8_at(std::string("ab") + invalid) == 2);
  }
}
