#include "common/image/semver.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "common/diag/error.hpp"

using namespace airgap;
using image::SemanticVersion;
using image::SemverConstraint;

namespace {

struct Row {
  const char* constraint;
  std::vector<const char*> taken;
  std::vector<const char*> left;
};

void check(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    CAPTURE(row.constraint);
    const auto constraint = SemverConstraint::parse(row.constraint);
    CHECK(constraint.str() == row.constraint);
    const auto allows = [&](const char* tag) {
      const auto version = SemanticVersion::parse(tag);
      REQUIRE_MESSAGE(version.has_value(), tag);
      return constraint.allows(*version);
    };
    for (const char* tag : row.taken) CHECK_MESSAGE(allows(tag), tag);
    for (const char* tag : row.left) CHECK_MESSAGE(!allows(tag), tag);
  }
}

}  // namespace

TEST_CASE("versions are read leniently, as tags are written") {
  const SemanticVersion expected{.major = 1, .minor = 2, .patch = 0};
  for (const char* tag : {"1.2.0", "v1.2.0", "1.2", "v1.2", "1.02", "1.2.0+build.7"}) {
    CAPTURE(tag);
    CHECK(SemanticVersion::parse(tag) == expected);
  }
  CHECK(SemanticVersion::parse("1")->major == 1);
  CHECK(SemanticVersion::parse("1-rc.1")->pre_release == "rc.1");
  CHECK(SemanticVersion::parse("1.27-alpine3.20")->pre_release == "alpine3.20");
}

TEST_CASE("what is no version is none") {
  for (const char* tag :
       {"", "latest", "v", "1.", ".1", "1..2", "1.2.3.4", "1.2.x", "1.2.3-", "1.2.3-rc..1", "1.2.3-rc.",
        "1.2.3-01", "1.2.3_1", "1.2.3+", "vv1", "V1", " 1", "99999999999999999999", "-1"}) {
    CAPTURE(tag);
    CHECK_FALSE(SemanticVersion::parse(tag));
  }
}

TEST_CASE("versions are ordered as semver.org says") {
  const std::vector<const char*> ascending{"0.0.1",      "0.9.0",        "1.0.0-1",       "1.0.0-2",
                                           "1.0.0-10",   "1.0.0-alpha",  "1.0.0-alpha.1", "1.0.0-alpha.beta",
                                           "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1",
                                           "1.0.0",      "1.0.1",        "1.9.0",         "1.10.0"};
  for (std::size_t i = 1; i < ascending.size(); ++i) {
    CAPTURE(ascending[i]);
    CHECK(*SemanticVersion::parse(ascending[i - 1]) < *SemanticVersion::parse(ascending[i]));
  }
}

TEST_CASE("comparisons look at the numbers that are given") {
  check({
      {"=2.0.0", {"2.0.0", "v2", "2.0.0+x"}, {"1.2.3", "2.0.1"}},
      {"4.1.0", {"4.1.0"}, {"4.1.1"}},
      {"4.1", {"4.1.0", "4.1.9"}, {"4.2.0", "4.0.9"}},
      {"2", {"2.0.0", "2.9.9"}, {"1.0.0", "3.0.0"}},
      {"!=4.1.0", {"4.1.1", "5.0.0"}, {"4.1.0"}},
      {"!=4.1", {"4.2.0", "5.1.0"}, {"4.1.0", "4.1.7", "5.1.0-alpha.1"}},
      {"!=4", {"5.1.0"}, {"4.0.0", "4.9.0"}},
      {">1.1", {"1.2.0", "4.1.0"}, {"1.1.0", "1.1.9"}},
      {">11", {"12.0.0"}, {"11.1.0", "10.0.0"}},
      {">1.2.3", {"1.2.4"}, {"1.2.3"}},
      {">0", {"1"}, {"0", "0.5.0", "0.0.1-alpha"}},
      {"<1.1", {"0.1.0", "1.0.9"}, {"1.1.0", "1.1.1"}},
      {"<11", {"0.1.0", "10.9.9"}, {"11.0.0", "11.1.0"}},
      {">=1.1", {"1.1.0", "4.1.0"}, {"1.0.9", "4.1.0-beta"}},
      {"=>1.1", {"1.1.0"}, {"1.0.9"}},
      {"<=1.1", {"0.1.0", "1.1.0", "1.1.9"}, {"1.2.0", "0.1.0-alpha"}},
      {"=<11", {"11.2.3"}, {"12.0.0"}},
      {"<=1.1.1", {"1.1.1"}, {"1.1.2"}},
  });
}

TEST_CASE("x stands for any number") {
  check({
      {"*", {"1", "4.5.6", "0.0.0"}, {"1.2.3-alpha.1"}},
      {"x", {"4.5.6"}, {}},
      {"2.*", {"2.1.1"}, {"1", "3.4.5"}},
      {"2.X", {"2.1.1"}, {"3.4.5"}},
      {"2.1.x", {"2.1.1"}, {"2.2.1"}},
      {"0.x.x", {"0.3.0"}, {"1.2.3"}},
      {"0.0.x", {"0.0.9"}, {"0.1.0", "1.2.3"}},
      {"!=4.x", {"5.1.0"}, {"4.1.0"}},
      {"!=4.2.x", {"4.1.0"}, {"4.2.3"}},
      {"<1.1.x", {"1.0.500"}, {"1.1.500", "1.2.1"}},
      {"<=1.1.x", {"1.1.500"}, {"1.2.500"}},
      {">=2.x", {"2.0.0", "3.0.0"}, {"1.9.0"}},
  });
}

TEST_CASE("~ keeps the minor version, or what is given of it") {
  check({
      {"~1.2.3", {"1.2.3", "1.2.5"}, {"1.2.2", "1.3.0", "2.2.3"}},
      {"~1.2", {"1.2.0", "1.2.9"}, {"1.1.9", "1.3.4"}},
      {"~1", {"1.0.0", "1.4"}, {"0.9.0", "2.1.1"}},
      {"~1.x", {"1.3.5"}, {"2.1.1"}},
      {"~>0.2.3", {"0.2.5"}, {"0.3.5"}},
      {"~*", {"2.1.1"}, {}},
      {"~0.0.0", {"1.2.3"}, {}},
  });
}

TEST_CASE("^ keeps the first number that is not zero") {
  check({
      {"^1.2.3", {"1.2.3", "1.8.9"}, {"1.2.1", "2.0.0"}},
      {"^1.2", {"1.2.0", "1.8.9"}, {"1.1.9", "2.8.9"}},
      {"^1", {"1.0.0", "1.8.9"}, {"2.8.9", "0.9.0"}},
      {"^1.x", {"1.1.1"}, {"2.1.1", "1.1.1-beta1"}},
      {"^0.2.3", {"0.2.3", "0.2.5"}, {"0.2.2", "0.3.0", "0.5.6"}},
      {"^0.2", {"0.2.5"}, {"0.5.6"}},
      {"^0.0.3", {"0.0.3"}, {"0.0.4", "0.0.2"}},
      {"^0.0", {"0.0.3"}, {"0.1.4", "1.0.4"}},
      {"^0", {"0.2.3"}, {"1.1.4"}},
      {"^0.0.0", {"0.0.0"}, {"0.0.1", "1.2.3"}},
      {"^*", {"0.1.0", "5.0.0"}, {}},
  });
}

TEST_CASE("pre-releases are taken only where one is named") {
  check({
      {">=1.0.0", {"1.0.0"}, {"1.0.0-rc.1", "2.0.0-rc.1"}},
      {">=1.0.0-0", {"1.0.0-rc.1", "1.0.0", "3.4.5-beta.1"}, {"0.9.0"}},
      {"*-0", {"1.2.3-alpha.1", "1.2.3"}, {}},
      {">1.2.3-alpha.1", {"1.2.3-alpha.2", "1.3.3-alpha.2"}, {"1.2.3-alpha.1"}},
      {"^1.2.0-alpha.2", {"1.2.0-alpha.3", "1.2.1-alpha.1", "1.2.0"}, {"1.2.0-alpha.1", "2.0.0"}},
      {"~1.2.3-beta.2", {"1.2.3-beta.4", "1.2.4-beta.2"}, {"1.3.4-beta.2", "1.2.3-beta.1"}},
      {"<0-z", {"0.0.0-alpha"}, {}},
      {"!=4.1-alpha", {"4.1.0"}, {"4.1.0-alpha", "4.1.1-alpha"}},
      {"1.2.3-rc.1", {"1.2.3-rc.1"}, {"1.2.3", "1.2.3-rc.2"}},
      {">=1.0.0-0, <2", {"1.5.0-beta"}, {"2.0.0"}},  // one term speaks for all that are tied to it
      {"1.x || >=2.0.0-0", {"2.0.0-rc.1", "1.1.0"}, {"1.1.0-rc.1"}},
  });
}

TEST_CASE("constraints are tied by blank, comma, || and hyphen") {
  check({
      {">1.1, <2", {"1.2.1"}, {"1.1.1", "2.0.0"}},
      {">1.1 <2", {"1.2.1"}, {"1.1.1"}},
      {"> 1.1 ,   <    2", {"1.2.1"}, {"2.0.0"}},
      {"  >=1.1    < 2    != 1.2.3  ", {"1.2.4"}, {"1.2.3", "2.0.0"}},
      {">=1.1, <2, !=1.2.3 || >= 3", {"1.2.4", "3.0.0", "4.1.2"}, {"1.2.3", "2.5.0"}},
      {">=1.1 <2||>3", {"1.1.0", "4.0.0"}, {"3.0.0"}},
      {"1.5.0 - 4.5", {"1.5.0", "3.7.0", "4.5.9"}, {"1.4.9", "4.6.0"}},
      {"1.1 - 2, !=1.5.0", {"1.1.0", "2.9.9"}, {"1.5.0", "3.0.0"}},
      {"3 - 4 || => 6.0, < 7", {"3.0.0", "4.9.0", "6.5.0"}, {"5.0.0"}},
      {"1.1-3", {"1.1.0-3", "1.1.0"}, {"4.3.2"}},  // without blanks it is a pre-release
      {"12.3.34 ~12.3.4", {"12.3.34"}, {"12.3.35"}},
  });
}

TEST_CASE("a malformed constraint is refused with the part at fault") {
  struct Bad {
    const char* constraint;
    const char* why;
  };
  for (const Bad& bad : std::vector<Bad>{
           {"", "a version is missing"},
           {"   ", "a version is missing"},
           {">=", "a version is missing"},
           {"foo", "'foo' is no version"},
           {">= bar", "'bar' is no version"},
           {"BAR >= 1.2.3", "'BAR' is no version"},
           {"12.3.4.1234", "'12.3.4.1234' is no version"},
           {"12.3.34~ 1.2.3", "a blank or a comma is missing before '~ 1.2.3'"},
           {">1<2", "a blank or a comma is missing before '<2'"},
           {">> 1", "a version is missing"},
           {"1 ||", "a version is missing"},
           {"|| 1", "a version is missing"},
           {"1 | 2", "'|' is no version"},
           {"1,,2", "a version is missing"},
           {"1,", "a version is missing"},
           {"1 -2", "a blank is missing after '-'"},
           {"1 - ", "a version is missing"},
           {"1.1x", "'1.1x' is no version"},
           {"1.2.3-01", "'1.2.3-01' is no version"},
           {"1.2.3\x1b", "'1.2.3\\x1b' is no version"},
       }) {
    CAPTURE(bad.constraint);
    CHECK_THROWS_WITH_AS(SemverConstraint::parse(bad.constraint), doctest::Contains(bad.why),
                         diag::FormatError);
  }
}
