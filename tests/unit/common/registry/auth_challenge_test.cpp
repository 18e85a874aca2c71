#include "common/registry/auth_challenge.hpp"

#include <doctest/doctest.h>

#include <string>

namespace airgap::registry {
namespace {

// "scheme name=value name=value; scheme ..."
std::string shown(const std::vector<Challenge>& challenges) {
  std::string text;
  for (const Challenge& challenge : challenges) {
    text += (text.empty() ? "" : "; ") + challenge.scheme;
    for (const auto& [name, value] : challenge.parameters) text += " " + name + "=" + value;
  }
  return text;
}

TEST_CASE("challenges are read as they are found in the wild (R10)") {
  struct Row {
    std::vector<std::string> fields;
    std::string expected;
  };
  const std::vector<Row> rows{
      {{}, ""},
      {{"Basic realm=\"x\""}, "basic realm=x"},
      {{R"(Bearer realm="https://a/token",service="reg",scope="repository:a/b:pull,push")"},
       "bearer realm=https://a/token scope=repository:a/b:pull,push service=reg"},
      {{"Bearer realm=https://a/token, service=reg"}, "bearer realm=https://a/token service=reg"},
      {{R"(BEARER Realm = "https://a/t" , Service="s")"}, "bearer realm=https://a/t service=s"},
      {{R"(Basic realm="a, Bearer realm=\"evil\"", Bearer realm="b")"},
       R"(basic realm=a, Bearer realm="evil"; bearer realm=b)"},
      {{"Negotiate", "Bearer realm=\"b\""}, "negotiate; bearer realm=b"},
      {{"Negotiate abc==, Basic realm=x"}, "negotiate abc==; basic realm=x"},
      {{R"(Bearer realm="never closed)"}, "bearer realm=never closed"},
      {{",,, =;\"stray\" Basic"}, "basic"},
      {{"Bearer realm=\"first\",realm=\"second\""}, "bearer realm=first"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.expected);
    CHECK(shown(parse_challenges(row.fields)) == row.expected);
  }
}

TEST_CASE("a huge header is bounded, not refused (R10)") {
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "Scheme" + std::to_string(i) + " a=b, ";
  CHECK(parse_challenges({many}).size() == 16);
  CHECK(shown(parse_challenges({"Bearer realm=\"" + std::string(100'000, 'x') + "\""})) == "bearer");
}

TEST_CASE("bearer with a realm is answered before basic, and nothing else is") {
  CHECK(usable_challenge(parse_challenges({"Negotiate, Bearer service=s, Basic realm=x, Bearer realm=b"}))
            ->scheme == "bearer");
  CHECK(usable_challenge(parse_challenges({"Bearer service=s, Basic realm=x"}))->scheme == "basic");
  CHECK(!usable_challenge(parse_challenges({"Digest realm=x", "Bearer"})));
}

}  // namespace
}  // namespace airgap::registry
