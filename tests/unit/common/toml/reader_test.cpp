#include "common/toml/reader.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>

#include "common/diag/error.hpp"

using namespace airgap;

TEST_CASE("a document is a table of values that know their place") {
  const toml::Node root = toml::read(
      "names = ['a', \"b\"]\n"
      "[[item]]\n"
      "  flag = true\n"
      "[[item]]\n"
      "  \"a.b\" = \"c\"\n",
      "x.conf");
  REQUIRE(root.members().size() == 2);
  CHECK(root.find("names")->elements().at(1).text() == "b");
  const auto& items = root.find("item")->elements();
  REQUIRE(items.size() == 2);
  CHECK(items[0].find("flag")->boolean());
  CHECK(items[0].find("flag")->place() == "x.conf:3:10");
  CHECK(items[1].find("a.b")->text() == "c");
  CHECK(items[1].place() == "x.conf:4:1");
  CHECK(items[1].find("flag") == nullptr);
}

TEST_CASE("an empty document is an empty table") {
  CHECK(toml::read("# nothing\n", "x.conf").members().empty());
}

TEST_CASE("what is not TOML is refused with its place") {
  struct Row {
    std::string text;
    const char* message;
  };
  const Row rows[] = {
      {"a = \n", "x.conf:1:5: this is not TOML: "},
      {"\n  a = 'b\n", "x.conf:2:"},
      {"a = 1\na = 2\n", "x.conf:2:5: this is not TOML: "},
      {"a = b\n", "x.conf:1:5: this is not TOML: "},
      {"[a\n", "x.conf:1:"},
      {std::string("a = 'b\0c'\n", 10), "x.conf:1:"},
      {"a = '\xff'\n", "x.conf:1:"},
      {std::string(toml::k_max_document + 1, ' '), "x.conf is larger than 1048576 bytes"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.message);
    CHECK_THROWS_WITH_AS(toml::read(row.text, "x.conf"), doctest::Contains(row.message), diag::UsageError);
  }
}

TEST_CASE("a value of another kind is refused with its place") {
  const toml::Node root = toml::read("text = 'true'\nflag = true\nnumber = 1\nlist = []\n", "x.conf");
  const std::pair<std::function<void()>, const char*> rows[] = {
      {[&] { root.find("text")->boolean(); }, "x.conf:1:8: expected true or false, found text"},
      {[&] { root.find("flag")->text(); }, "x.conf:2:8: expected text, found true or false"},
      {[&] { root.find("number")->text(); }, "x.conf:3:10: expected text, found a number or a time"},
      {[&] { root.find("list")->members(); }, "x.conf:4:8: expected a table, found a list"},
      {[&] { root.elements(); }, "x.conf:1:1: expected a list, found a table"},
  };
  for (const auto& [body, message] : rows) CHECK_THROWS_WITH_AS(body(), message, diag::UsageError);
}
