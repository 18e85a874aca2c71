#include "common/yaml/reader.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "common/diag/error.hpp"

using namespace airgap;
using yaml::Kind;
using yaml::Node;

namespace {

Node read(std::string_view text, const yaml::Limits& limits = {}) {
  return yaml::read(text, "f.yaml", limits);
}

std::string nested(std::size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

struct Refused {
  std::string text;
  const char* message;
};

void check_refused(const std::vector<Refused>& rows) {
  for (const Refused& row : rows) {
    CAPTURE(row.text);
    CHECK_THROWS_WITH_AS(read(row.text), doctest::Contains(row.message), diag::UsageError);
  }
}

}  // namespace

TEST_CASE("values keep their text, their kind and their place") {
  const Node root = read("registry:5000:\n  images:\n    app: [1.10, 'no']\n    none:\n  on: Off\n");
  REQUIRE(root.members().size() == 1);
  const Node& registry = root.members().front().value;
  CHECK(root.members().front().key.text() == "registry:5000");
  const Node* images = registry.find("images");
  REQUIRE(images != nullptr);
  CHECK(images->place() == "f.yaml:3:5");
  const auto& tags = images->find("app")->elements();
  CHECK(tags[0].text() == "1.10");
  CHECK_FALSE(tags[0].quoted());
  CHECK(tags[1].text() == "no");
  CHECK(tags[1].quoted());
  CHECK(tags[1].place() == "f.yaml:3:17");
  CHECK(images->find("none") == nullptr);
  CHECK(images->members()[1].value.is_null());
  CHECK_FALSE(registry.find("on")->boolean());
  CHECK(registry.find("off") == nullptr);
}

TEST_CASE("text stays as it is written, whatever type it might have elsewhere") {
  const Node root =
      read("[1.10, 0777, 1e3, 18446744073709551616, no, 2024-01-01, 0x1f, .5, 'a''b', \"a\\tb\"]");
  std::vector<std::string> texts;
  for (const Node& element : root.elements()) texts.push_back(element.text());
  CHECK(texts == std::vector<std::string>{"1.10", "0777", "1e3", "18446744073709551616", "no", "2024-01-01",
                                          "0x1f", ".5", "a'b", "a\tb"});
}

TEST_CASE("JSON, CRLF, a BOM, comments and document marks are fine") {
  for (const char* text :
       {"{\"a\":{\"b\":[\"1\",\"2\"]}}", "{\n\t\"a\": {\n\t\t\"b\": [\"1\", \"2\"]\n\t}\n}\n",
        "a:\r\n  b:\r\n  - '1'\r\n  - '2'\r\n",
        "\xef\xbb\xbf"
        "a: {b: [1, 2]}",
        "# first\n---\na:  # here\n  b:\n    - 1\n    - 2\n...\n", "%YAML 1.2\n---\na: {b: [1, 2]}\n"}) {
    CAPTURE(text);
    const Node root = read(text);
    const auto& list = root.find("a")->find("b")->elements();
    REQUIRE(list.size() == 2);
    CHECK(list[0].text() == "1");
    CHECK(list[1].text() == "2");
  }
}

TEST_CASE("what has two meanings, or hides one, is refused where it stands") {
  check_refused({
      {"", "f.yaml:1:1: there is nothing in it"},
      {"# only this\n", "there is nothing in it"},
      {"a: 1\na: 2\n", "f.yaml:2:1: duplicate key 'a'"},
      {"a: 1\n\"a\": 2\n", "f.yaml:2:1: duplicate key 'a'"},
      {"{\"x\": {\"1\": 1, 1: 2}}", "duplicate key '1'"},
      {"a: &x 1\n", "f.yaml:1:4: anchors and aliases"},
      {"a: &x [1]\nb: *x\n", "anchors and aliases"},
      {"&x a: 1\n", "anchors and aliases"},
      {"a: *x\n", "f.yaml:1:4: anchors and aliases are not taken"},
      {"a:\n  - b\n  - *-alpine\n", "f.yaml:3:5: anchors and aliases are not taken"},
      {"&a [*a]\n", "anchors and aliases"},
      {"a: &x\n", "anchors and aliases"},
      {"a: !!str 1\n", "f.yaml:1:4: tags are not taken"},
      {"a: !x [1]\n", "tags are not taken"},
      {"a: !!python/object {}\n", "tags are not taken"},
      {"a: ! 1\n", "tags are not taken"},
      {"a: ! [1]\n", "tags are not taken"},
      {"!!str a: 1\n", "tags are not taken"},
      {"a: {<<: {b: 1}}\n", "f.yaml:1:5: merge keys"},
      {"? [a]\n: 1\n", "a key must be text"},
      {"{a: 1}: 2\n", "a key must be text"},
      {"~: 1\n", "a key is missing"},
      {": 1\n", "a key is missing"},
      {"a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document"},
      {"a: 1\n---\n", "second document"},
  });
}

TEST_CASE("what is broken is refused where it stands") {
  check_refused({
      {"a: \"b\n", "f.yaml:1:4"},
      {"a: 'b\n", "f.yaml:1:4"},
      {"a: 'it''s\n", "f.yaml:1:4"},
      {"a: \"b\\\"\n", "f.yaml:1:4"},
      {"a: [1, 2\n", "f.yaml:2:1"},
      {"a: {b: 1\n", "f.yaml:2:1"},
      {"a: 1\n b: 2\n", "f.yaml:2:"},
      {"a:\n\tb: 1\n", "f.yaml:2:"},
      {"a: 1\n- b\n", "f.yaml:2:1"},
      {"a: \"b\" c\n", "f.yaml:1:"},
      {"a: b: c\n", "f.yaml:1:"},
      {"a: @b\n", "f.yaml:1:"},
      {"a: [1]]\n", "f.yaml:1:"},
      {std::string("a: 1\nb: \0 2\n", 12), "f.yaml:2:4: byte 0x00"},
      {"a: \"\\0\"\n", "f.yaml:1:4: a NUL character"},
      {"a: \x1b[31m\n", "f.yaml:1:4: byte 0x1b"},
      {"a: 1\rb: 2\n", "f.yaml:1:5: byte 0x0d"},
      {"a: 1\nb: \xff\n", "f.yaml:2:4: this is not UTF-8"},
      {"\xff\xfe"
       "a",
       "f.yaml:1:1: this is not UTF-8"},
      {std::string("a\0:\0", 4), "byte 0x00"},
  });
}

TEST_CASE("the commonest causes of what is no YAML are named") {
  struct Row {
    std::string text;
    std::string hint;
  };
  const std::vector<Row> rows = {
      {"a:\n\tb: 1\n", "line 2 begins with a tab: YAML is indented by spaces alone"},
      {"a:\n  b:\n  \tc: 1\n", "line 3 begins with a tab"},
      {"a: [1\n\t\n", "brackets and quotes that are not closed"},  // an empty line may have tabs
      {"a: [1\n", "brackets and quotes that are not closed"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    try {
      read(row.text);
      FAIL("not refused");
    } catch (const diag::UsageError& error) {
      CHECK(error.hint().find(row.hint) != std::string::npos);
    }
  }
}

TEST_CASE("what costs too much is refused") {
  CHECK(read(nested(64)).kind() == Kind::list);
  CHECK_THROWS_WITH_AS(read(nested(65)), doctest::Contains("f.yaml:1:65: nested more than 64 levels"),
                       diag::UsageError);
  CHECK_THROWS_AS(read(nested(10'000)), diag::UsageError);
  CHECK_THROWS_WITH_AS(read("[1, 2, 3]", {.nodes = 3}), doctest::Contains("more than 3 values"),
                       diag::UsageError);
  CHECK_THROWS_WITH_AS(read("[1, 2]", {.bytes = 5}), doctest::Contains("larger than 5 bytes"),
                       diag::UsageError);
}

TEST_CASE("a value of another kind than is asked for is refused") {
  const Node root = read("text: x\nlist: []\nmap: {}\nquoted: 'true'\n");
  CHECK_THROWS_WITH_AS(root.text(), "f.yaml:1:1: expected text, found a map", diag::UsageError);
  CHECK_THROWS_WITH_AS(root.find("text")->elements(), "f.yaml:1:7: expected a list, found text",
                       diag::UsageError);
  CHECK_THROWS_WITH_AS(root.find("list")->members(), "f.yaml:2:7: expected a map, found a list",
                       diag::UsageError);
  CHECK_THROWS_WITH_AS(root.find("text")->boolean(), "f.yaml:1:7: expected true or false", diag::UsageError);
  CHECK_THROWS_AS(root.find("quoted")->boolean(), diag::UsageError);
}

TEST_CASE("an unknown key is refused with the nearest known one") {
  const Node root = read("image: {}\n");
  try {
    root.refuse_unknown({"images", "tls-verify"});
    FAIL("not refused");
  } catch (const diag::UsageError& error) {
    CHECK(error.message() == "f.yaml:1:1: unknown key 'image'");
    CHECK(error.hint() == "did you mean 'images'?");
  }
  try {
    root.refuse_unknown({"username", "password"}, Node::Echo::no);
    FAIL("not refused");
  } catch (const diag::UsageError& error) {
    CHECK(error.message() ==
          "f.yaml:1:1: unknown key, not shown here since it may be a secret in the wrong place");
    CHECK(error.hint() == "there are: username, password");
  }
}
