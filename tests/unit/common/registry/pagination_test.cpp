#include "common/registry/pagination.hpp"

#include <doctest/doctest.h>

#include "common/diag/error.hpp"
#include "common/registry/content_range.hpp"

namespace airgap::registry {
namespace {

http::ResponseHead head_with_link(const std::string& link) {
  http::ResponseHead head;
  head.url = http::Url::parse("https://reg/v2/a/tags/list?n=2");
  head.headers.add("Link", link);
  return head;
}

TEST_CASE("only rel=next of a Link counts (R58)") {
  struct Row {
    std::vector<std::string> fields;
    std::string expected;
  };
  const std::vector<Row> rows{
      {{}, "-"},
      {{"</v2/a/tags/list?last=b&n=2>; rel=\"next\""}, "/v2/a/tags/list?last=b&n=2"},
      {{"</x>; rel=next"}, "/x"},
      {{"</x>;REL=Next"}, "/x"},
      {{"</first>; rel=\"first\", </x>; title=\"a,b;c\"; rel=\"last next\""}, "/x"},
      {{"</first>; rel=first", "</x>; rel=next"}, "/x"},
      {{"</x>"}, "-"},
      {{"</x>; rel=\"prev\""}, "-"},
      {{"</x>; rel=\"nextish\""}, "-"},
      {{"</x>; notrel=\"next\""}, "-"},
      {{"/x; rel=next"}, "-"},
      {{"</x; rel=next"}, "-"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.fields.empty() ? "" : row.fields.front());
    CHECK(next_link(row.fields).value_or("-") == row.expected);
  }
}

TEST_CASE("pages that lead elsewhere, in a circle or nowhere end the list with an error (R58, R59)") {
  PageWalk walk("reg", 3);
  CHECK(walk.next(head_with_link("</v2/a/tags/list?last=b>; rel=next"), false)->str() ==
        "https://reg/v2/a/tags/list?last=b");
  for (const char* elsewhere :
       {"<http://reg/v2/>; rel=next", "<https://other/v2/>; rel=next", "<//other/v2/>; rel=next",
        "<https://reg:444/>; rel=next", "<file:/x>; rel=next"}) {
    CAPTURE(elsewhere);
    CHECK_THROWS_AS(walk.next(head_with_link(elsewhere), false), diag::NetworkError);
  }
  CHECK_THROWS_WITH_AS(walk.next(head_with_link("</v2/a/tags/list?last=b>; rel=next"), false),
                       doctest::Contains("circle"), diag::NetworkError);
  CHECK_THROWS_WITH_AS(walk.next(head_with_link("</v2/a/tags/list?last=c>; rel=next"), true),
                       doctest::Contains("repeats"), diag::NetworkError);
  CHECK(walk.next(head_with_link("</p3>; rel=next"), false));
  CHECK_THROWS_WITH_AS(walk.next(head_with_link("</p4>; rel=next"), false), doctest::Contains("too many"),
                       diag::NetworkError);
}

TEST_CASE("a 206 is believed only when it is exactly the rest that was asked for (R30)") {
  struct Row {
    std::vector<std::pair<std::string, std::string>> headers;
    std::optional<std::uint64_t> length;
    bool good;
  };
  const std::vector<Row> rows{
      {{{"Content-Range", "bytes 4-9/10"}}, 6, true},
      {{{"Content-Range", "bytes 4-9/*"}}, {}, true},
      {{}, 6, false},
      {{{"Content-Range", "bytes 4-9/10"}}, 7, false},
      {{{"Content-Range", "bytes 3-9/10"}}, 7, false},
      {{{"Content-Range", "bytes 4-8/10"}}, 5, false},
      {{{"Content-Range", "bytes 4-9/11"}}, 6, false},
      {{{"Content-Range", "4-9/10"}}, 6, false},
      {{{"Content-Range", "bytes 4-9/10"}, {"Content-Range", "bytes 4-9/10"}}, 6, false},
      {{{"Content-Range", "bytes 4-9/10"}, {"Content-Type", "multipart/byteranges; boundary=x"}}, 6, false},
  };
  for (const Row& row : rows) {
    http::ResponseHead head;
    head.status = 206;
    head.content_length = row.length;
    for (const auto& [name, value] : row.headers) head.headers.add(name, value);
    CAPTURE(head.headers.find("Content-Range").value_or("none"));
    CHECK(is_rest_from(head, 4, 10) == row.good);
  }
}

}  // namespace
}  // namespace airgap::registry
