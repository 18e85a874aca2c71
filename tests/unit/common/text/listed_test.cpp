#include "common/text/listed.hpp"

#include <doctest/doctest.h>

namespace airgap::text {
namespace {

TEST_CASE("many names are cut, and it is said how many more there are") {
  CHECK(listed({}) == "");
  CHECK(listed({"a"}) == "a");
  CHECK(listed({"a", "b"}) == "a, b");
  std::vector<std::string> names(20, "x");
  CHECK(listed(names).find("more") == std::string::npos);
  names.insert(names.end(), {"y", "z"});
  CHECK(listed(names).ends_with("x, x and 2 more"));
}

TEST_CASE("numbers that follow each other are a range") {
  CHECK(ranges({}) == "");
  CHECK(ranges({7}) == "7");
  CHECK(ranges({1, 2, 3, 5}) == "1-3, 5");
  CHECK(ranges({1, 3, 4}) == "1, 3-4");
}

}  // namespace
}  // namespace airgap::text
