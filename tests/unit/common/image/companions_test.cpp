#include "common/image/companions.hpp"

#include <doctest/doctest.h>

namespace airgap::image {
namespace {

hash::Digest digest(char fill) {
  return hash::Digest::parse("sha256:" + std::string(64, fill));
}

std::vector<std::string> places(std::vector<Traveller> travellers) {
  follow_subjects(travellers);
  std::vector<std::string> places;
  for (const Traveller& traveller : travellers) places.push_back(traveller.place);
  return places;
}

TEST_CASE("what accompanies an image goes where that goes") {
  struct Row {
    const char* what;
    std::vector<Traveller> travellers;
    std::vector<std::string> expected;
  };
  const Row k_table[] = {
      {"a signature", {{{digest('a')}, {}, "new"}, {{digest('b')}, digest('a'), "old"}}, {"new", "new"}},
      {"listed before its image",
       {{{digest('b')}, digest('a'), "old"}, {{digest('a')}, {}, "new"}},
       {"new", "new"}},
      {"of one platform of an index",
       {{{digest('a'), digest('c')}, {}, "new"}, {{digest('b')}, digest('c'), "old"}},
       {"new", "new"}},
      {"of a signature, in any order",
       {{{digest('d')}, digest('b'), "old"}, {{digest('b')}, digest('a'), "old"}, {{digest('a')}, {}, "new"}},
       {"new", "new", "new"}},
      {"of an image with two places, one of them its own",
       {{{digest('a')}, {}, "one"}, {{digest('a')}, {}, "two"}, {{digest('b')}, digest('a'), "two"}},
       {"one", "two", "two"}},
      {"of an image with two other places",
       {{{digest('a')}, {}, "two"}, {{digest('a')}, {}, "one"}, {{digest('b')}, digest('a'), "old"}},
       {"two", "one", "one"}},
      {"of nothing that is here",
       {{{digest('a')}, {}, "new"}, {{digest('b')}, digest('f'), "old"}},
       {"new", "old"}},
      {"of each other",
       {{{digest('a')}, digest('b'), "one"}, {{digest('b')}, digest('a'), "two"}},
       {"one", "two"}},
  };
  for (const Row& row : k_table) {
    CAPTURE(std::string(row.what));
    CHECK(places(row.travellers) == row.expected);
  }
}

TEST_CASE("a tag of cosign or of the referrers fallback says what it is about") {
  const std::string hex(64, 'a');
  CHECK(subject_of_tag("sha256-" + hex) == digest('a'));
  CHECK(subject_of_tag("sha256-" + hex + ".sig") == digest('a'));
  CHECK(subject_of_tag("sha512-" + hex + hex + ".att").has_value());
  for (const std::string& tag :
       {std::string("1.0"), std::string("sha256-abc.sig"), "sha256-" + std::string(64, 'G'), "md5-" + hex,
        hex, std::string("-"), std::string{}}) {
    CAPTURE(tag);
    CHECK_FALSE(subject_of_tag(tag).has_value());
  }
}

TEST_CASE("beside another image a tag stays, the repository is that image's") {
  const Reference target =
      beside(Reference::parse("r.example/a/b:sha256-x.sig"), Reference::parse("s.example/c:1"));
  CHECK(target.str() == "s.example/c:sha256-x.sig");
}

}  // namespace
}  // namespace airgap::image
