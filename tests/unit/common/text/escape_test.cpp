#include "common/text/escape.hpp"

#include <doctest/doctest.h>

namespace airgap::text {
namespace {

TEST_CASE("plain text and letters of other scripts are printed as they are") {
  for (const std::string text : {"", "plain ~text", "caf\xc3\xa9", "\xe6\x97\xa5\xe6\x9c\xac"}) {
    CHECK(escape(text) == text);
  }
}

TEST_CASE("what could move a cursor, hide text or break a line is shown as bytes") {
  constexpr std::pair<std::string_view, const char*> k_table[] = {
      {"\x1b[2J", "\\x1b[2J"},
      {"a\r\nb", "a\\x0d\\x0ab"},
      {std::string_view("\0", 1), "\\x00"},
      {"\x7f", "\\x7f"},
      {"\xc2\x9b"
       "2J",
       "\\xc2\\x9b2J"},  // C1 control
      {"\xe2\x80\xae"
       "x",
       "\\xe2\\x80\\xaex"},                 // right-to-left override
      {"\xe2\x80\x8b", "\\xe2\\x80\\x8b"},  // zero width
      {"\xef\xbb\xbf", "\\xef\\xbb\\xbf"},  // byte order mark
      {"\xff", "\\xff"},
      {"\xc0\xaf", "\\xc0\\xaf"},                    // overlong
      {"\xed\xa0\x80", "\\xed\\xa0\\x80"},           // surrogate
      {"\xe2\x82", "\\xe2\\x82"},                    // cut short
      {"\xf0\x9f\x98\x80", "\\xf0\\x9f\\x98\\x80"},  // four bytes
  };
  for (const auto& [foreign, safe] : k_table) CHECK(escape(foreign) == safe);
}

TEST_CASE("long text is cut") {
  CHECK(escape(std::string(300, 'a')) == std::string(200, 'a') + "...");
  CHECK(escape("abcdef", 3) == "abc...");
  CHECK(escape("abc", 3) == "abc");
}

}  // namespace
}  // namespace airgap::text
