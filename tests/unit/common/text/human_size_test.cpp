#include "common/text/human_size.hpp"

#include <doctest/doctest.h>

#include <limits>

namespace airgap::text {
namespace {

TEST_CASE("sizes are short and never show more than three digits before the point") {
  constexpr std::pair<std::uint64_t, const char*> k_table[] = {
      {0, "0 B"},
      {1023, "1023 B"},
      {1024, "1.0 KiB"},
      {12'897'485, "12.3 MiB"},
      {104'857'600, "100 MiB"},
      {1'047'527'424, "999 MiB"},
      {1'048'051'712, "1.0 GiB"},
      {std::numeric_limits<std::uint64_t>::max(), "16.0 EiB"},
  };
  for (const auto& [bytes, text] : k_table) CHECK(human_size(bytes) == text);
}

TEST_CASE("one thing has no plural") {
  CHECK(counted(0, "image") == "0 images");
  CHECK(counted(1, "image") == "1 image");
  CHECK(counted(2, "image") == "2 images");
}

}  // namespace
}  // namespace airgap::text
