#include "common/text/nearest.hpp"

#include <doctest/doctest.h>

using airgap::text::nearest;

TEST_CASE("a mistyped word finds the one that was meant, and a strange one finds none") {
  const std::vector<std::string> known{"pull", "push", "list", "verify"};
  CHECK(nearest("pul", known) == "pull");
  CHECK(nearest("verfiy", known) == "verify");
  CHECK(nearest("lst", known) == "list");
  CHECK_FALSE(nearest("frobnicate", known));
  CHECK_FALSE(nearest("x", known));
  CHECK_FALSE(nearest(std::string(100'000, 'p'), known));
}
