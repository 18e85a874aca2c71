#include "common/json/reader.hpp"

#include <doctest/doctest.h>

#include "common/diag/error.hpp"

namespace airgap::json {
namespace {

using diag::FormatError;
using namespace std::string_view_literals;

struct Refused {
  std::string_view text;
  const char* why;
};

TEST_CASE("values are read by type") {
  const Document document = Document::parse(
      R"({"s":"a\u00e9\ud83d\ude00","n":9223372036854775807,"i":-3,"b":true,"z":null,"a":["x","y"],"o":{"k":"v"}})");
  const Node root = document.root();
  CHECK(root.is_object());
  CHECK(root.at("s").string() == "a\u00e9\U0001f600");
  CHECK(root.at("n").uint64() == 9223372036854775807U);
  CHECK(root.at("i").int64() == -3);
  CHECK(root.at("a").string_list() == std::vector<std::string>{"x", "y"});
  CHECK(root.at("a").size() == 2);
  CHECK(root.at("o").string_map().at("k") == "v");
  CHECK(root.members().size() == 7);
  CHECK(root.members()[5].first == "a");
  CHECK(root.optional_string("s").has_value());
  CHECK(root.optional_int64("i") == -3);
  CHECK(root.optional_int64("absent") == std::nullopt);
}

TEST_CASE("an absent member and a null one are both no value, but a null one is there") {
  const Document document = Document::parse(R"({"z":null})");
  CHECK_FALSE(document.root().find("z"));
  CHECK_FALSE(document.root().find("absent"));
  CHECK(document.root().optional_string("z") == std::nullopt);
  CHECK(document.root().contains("z"));
}

TEST_CASE("nodes outlive a move of their document") {
  Document first = Document::parse(R"(["kept"])");
  const Node element = first.root().elements().front();
  const Document second = std::move(first);
  CHECK(element.string() == "kept");
}

TEST_CASE("what is not exactly one JSON value is refused") {
  constexpr Refused k_table[] = {
      {"", "not valid JSON at byte 0"},
      {" ", "not valid JSON"},
      {"{} {}", "at byte 3"},
      {"{}x", "at byte 2"},
      {"{}\0"sv, "at byte 2: NUL"},
      {"{}\0{}"sv, "at byte 2: NUL"},
      {"\xef\xbb\xbf{}", "byte order mark"},
      {"\xff\xfe{\0}\0"sv, "NUL"},
      {"{'a':1}", "not valid JSON at byte 1"},
      {"[1,]", "not valid JSON at byte 3"},
      {"[NaN]", "not valid JSON"},
      {"[01]", "not valid JSON"},
      {"[1e999]", "not valid JSON"},
      {"// note\n{}", "not valid JSON"},
      {"[\"\xc0\xaf\"]", "encoding"},
      {"[\"\xed\xb0\x80\"]", "encoding"},
      {"[\"a\tb\"]", "not valid JSON"},
      {R"(["\ud800"])", "surrogate"},
      {R"([{"a":["\udc00"]}])", "/0/a/0: the text holds half of a surrogate pair"},
      {R"({"a":"x\u0000y"})", "/a: the text holds a NUL character"},
      {R"([{"a\u0000b":1}])", "/0: the text holds a NUL character"},
  };
  for (const auto& [text, why] : k_table) {
    CAPTURE(text);
    CHECK_THROWS_WITH_AS(Document::parse(text), doctest::Contains(why), FormatError);
  }
}

TEST_CASE("names that two readers could take for one are refused at any level") {
  constexpr Refused k_table[] = {
      {R"({"a":1,"b":2,"a":1})", "document: duplicate member \"a\""},
      {R"({"x":[0,{"d":1,"\u0064":2}]})", "/x/1: duplicate member \"d\""},
      {R"({"annotations":{"k":"1","k":"1"}})", "/annotations: duplicate member \"k\""},
      {R"({"layers":[],"Layers":[]})", "the members \"Layers\" and \"layers\" differ only in letter case"},
      {"{\"layers\":[],\"layer\u017f\":[]}", "differ only in letter case"},
      {R"({"annotations":{"k":{"a":1,"A":2}}})", "/annotations/k: the members \"A\" and \"a\""},
  };
  for (const auto& [text, why] : k_table) {
    CAPTURE(text);
    CHECK_THROWS_WITH_AS(Document::parse(text), doctest::Contains(why), FormatError);
  }
}

TEST_CASE("a free-form map may hold names that differ in letter case") {
  const Document document = Document::parse(R"({"annotations":{"Name":"1","name":"2"}})");
  CHECK(document.root().at("annotations").string_map().size() == 2);
}

TEST_CASE("limits on bytes, depth and values hold without deep recursion") {
  ParseLimits wide;
  wide.bytes = std::size_t{64} * 1024 * 1024;
  CHECK_THROWS_WITH_AS(Document::parse(std::string(1'000'000, '['), wide),
                       doctest::Contains("nested deeper than 64 levels"), FormatError);
  std::string objects;
  for (int i = 0; i < 300'000; ++i) objects += R"({"a":)";
  CHECK_THROWS_WITH_AS(Document::parse(objects, wide), doctest::Contains("deeper than 64"), FormatError);
  wide.depth = 10'000'000;
  CHECK_THROWS_AS(Document::parse(std::string(900'000, '['), wide), FormatError);  // unfinished, and no crash

  CHECK_NOTHROW(Document::parse(std::string(64, '[') + std::string(64, ']')));
  CHECK_THROWS_AS(Document::parse(std::string(65, '[') + std::string(65, ']')), FormatError);

  ParseLimits few;
  few.values = 4;
  CHECK_NOTHROW(Document::parse("[1,2,3]", few));
  CHECK_THROWS_WITH_AS(Document::parse("[1,2,3,4]", few), doctest::Contains("more than 4 values"),
                       FormatError);
  few.bytes = 6;
  CHECK_THROWS_WITH_AS(Document::parse("[1,2,3]", few), doctest::Contains("7 bytes is over the limit of 6"),
                       FormatError);
}

TEST_CASE("a size is an integer literal from 0 to 2^63-1") {
  constexpr Refused k_table[] = {
      {"1.5", "found 1.5"},
      {"1.0", "found 1.0"},
      {"1e3", "found 1000.0"},
      {"-1", "found -1"},
      {"9223372036854775808", "found 9223372036854775808"},
      {"18446744073709551616", "found 1.8446744073709552e+19"},
      {"\"12\"", "found \"12\""},
      {"true", "found true"},
      {"null", "found null"},
      {"[]", "found an array"},
      {"{}", "found an object"},
  };
  for (const auto& [text, why] : k_table) {
    CAPTURE(text);
    const Document document = Document::parse(R"({"layers":[0,{"size":)" + std::string(text) + "}]}");
    const Node size = document.root().at("layers").elements()[1].at("size");
    CHECK_THROWS_WITH_AS(size.uint64(), doctest::Contains(why), FormatError);
    CHECK_THROWS_WITH_AS(size.uint64(), doctest::Contains("/layers/1/size: expected an unsigned integer"),
                         FormatError);
  }
}

TEST_CASE("a wrong type or a missing member is named by its pointer") {
  const Document document = Document::parse("{\"a/b~\\u001b\":[{\"x\":1}]}");
  const Node inner = document.root().members()[0].second.elements()[0];
  CHECK(inner.pointer() == "/a~1b~0\\x1b/0");
  CHECK(document.root().pointer() == "document");
  CHECK_THROWS_WITH_AS(inner.at("y"), R"(/a~1b~0\x1b/0: the member "y" is missing)", FormatError);
  CHECK_THROWS_WITH_AS(inner.at("x").string(), doctest::Contains("expected a string, found 1"), FormatError);
  CHECK_THROWS_WITH_AS(inner.at("x").elements(), doctest::Contains("expected an array"), FormatError);
  CHECK_THROWS_WITH_AS(inner.at("x").find("z"), doctest::Contains("expected an object"), FormatError);
  CHECK_THROWS_WITH_AS(inner.string_map(), doctest::Contains("/x: expected a string"), FormatError);
  CHECK_THROWS_WITH_AS(inner.int64(), doctest::Contains("expected an integer"), FormatError);
}

}  // namespace
}  // namespace airgap::json
