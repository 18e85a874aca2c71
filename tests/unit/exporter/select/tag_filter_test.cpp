#include "exporter/select/tag_filter.hpp"

#include <doctest/doctest.h>

using namespace airgap;
using exporter::newest;
using Tags = std::vector<std::string>;

TEST_CASE("the newest are the highest versions, not the last words") {
  struct Row {
    Tags tags;
    std::size_t count;
    Tags expected;
  };
  const Row rows[] = {
      {{"1.9.0", "1.10.0", "1.2.0"}, 2, {"1.10.0", "1.9.0"}},
      {{"latest", "v2", "1.0", "edge"}, 3, {"v2", "1.0"}},
      {{"2.0.0-rc.1", "2.0.0-rc.10", "2.0.0-rc.2", "1.9"}, 2, {"2.0.0-rc.10", "2.0.0-rc.2"}},
      {{"2.0.0", "2.0.0-rc.1"}, 1, {"2.0.0"}},
      {{"1.2", "v1.2.0", "1.2.0"}, 2, {"v1.2.0", "1.2.0"}},
      {{"latest", "1.2.3.4", "sha256-ab.sig"}, 5, {}},
      {{}, 1, {}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.tags);
    CHECK(newest(row.tags, row.count) == row.expected);
  }
}

TEST_CASE("what narrows a filter is in its words") {
  std::string why;
  exporter::TagFilter filter(text::Pattern::compile("^1", why).value());
  filter.exclude(text::Pattern::compile("-rc", why).value());
  filter.keep_newest(3);
  CHECK(filter.str() == "matches '^1', without a match of '-rc', as a version among the newest 3");
  CHECK(filter.takes("1.2"));
  for (const char* tag : {"2.0", "1.2-rc", "1x"}) CHECK_FALSE(filter.takes(tag));
}
