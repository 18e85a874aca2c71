#include "common/text/pattern.hpp"

#include <doctest/doctest.h>

using airgap::text::Pattern;

namespace {

Pattern compiled(std::string_view expression) {
  std::string why;
  auto pattern = Pattern::compile(expression, why);
  REQUIRE_MESSAGE(pattern.has_value(), why);
  return *pattern;
}

}  // namespace

TEST_CASE("a pattern matches anywhere unless it is tied to the ends") {
  CHECK(compiled("1\\.2").found_in("v1.27-alpine"));
  CHECK_FALSE(compiled("^1\\.2").found_in("v1.27"));
  CHECK(compiled("^1\\.2[0-9]$").found_in("1.27"));
  CHECK_FALSE(compiled("^1\\.2[0-9]$").found_in("1.270"));
  CHECK(compiled("(?i)ALPINE").found_in("3-alpine"));
  CHECK(compiled("^(a+)+$").str() == "^(a+)+$");
}

TEST_CASE("time grows with the text alone") {
  CHECK_FALSE(compiled("^(a+)+$").found_in(std::string(100'000, 'a') + "!"));
}

TEST_CASE("what RE2 does not take is refused with the reason") {
  for (const char* bad : {"(", "[z-a]", "*", "a**", "(?=x)", "\\1", "x{1000}{1000}", "\\p{Nope}"}) {
    CAPTURE(bad);
    std::string why;
    CHECK_FALSE(Pattern::compile(bad, why));
    CHECK_FALSE(why.empty());
  }
  std::string why;
  CHECK_FALSE(Pattern::compile(std::string(1025, 'a'), why));
  CHECK(why == "it is longer than 1024 characters");
}
