#include "common/cli/argument_parser.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "common/cli/declared_command.hpp"
#include "common/cli/help_text.hpp"
#include "common/diag/error.hpp"

using namespace airgap;
using Words = std::vector<std::string>;

namespace {

// A command with one of everything.
struct Push {
  cli::DeclaredCommand declared{"airgap-test", "push", "Bring bundles into a registry"};
  Words bundles;
  std::string registry;
  std::string output;
  Words maps;
  std::size_t jobs = 6;
  bool dry_run = false;

  Push() {
    cli::Command& command = declared;
    command.positionals("BUNDLE", bundles, 1, "what to push");
    command.positional("REGISTRY", registry, "where to");
    command.option("-o,--output", output, "FILE", "where the receipt goes");
    command.option("--map", maps, "FROM=TO", "names a target");
    command.group("Speed");
    command.option("-j,--jobs", jobs, "N", "at the same time", {1, 64});
    command.flag("-n,--dry-run", dry_run, "change nothing");
    command.example("airgap-test push stick/ registry.example", "all of it");
  }
  cli::Wanted parse(const Words& arguments) {
    return cli::parse_arguments(declared.declaration(), arguments);
  }
};

}  // namespace

TEST_CASE("options stand anywhere and arguments are handed out around the list") {
  Push push;
  REQUIRE(push.parse({"a.tar", "--map", "x=y", "-j8", "b", "-n", "--map=[z]=v", "reg:5000/p", "-o", "-"}) ==
          cli::Wanted::run);
  CHECK(push.bundles == Words{"a.tar", "b"});
  CHECK(push.registry == "reg:5000/p");
  CHECK(push.maps == Words{"x=y", "[z]=v"});
  CHECK(push.jobs == 8);
  CHECK(push.dry_run);
  CHECK(push.output == "-");
}

TEST_CASE("a value is kept as it was typed") {
  for (const std::string value : {"[a,b]", "{}", "%%", "a,b", "++", "x y", "[::1]:5000"}) {
    Push push;
    CAPTURE(value);
    push.parse({"-", value, "--map", value});
    CHECK(push.bundles == Words{"-"});
    CHECK(push.registry == value);
    CHECK(push.maps == Words{value});
  }
}

TEST_CASE("everything behind -- is an argument") {
  Push push;
  push.parse({"--dry-run", "--", "--odd", "-x"});
  CHECK(push.bundles == Words{"--odd"});
  CHECK(push.registry == "-x");
}

TEST_CASE("what was not given keeps its default") {
  Push push;
  push.parse({"a", "r"});
  CHECK(push.jobs == 6);
  CHECK_FALSE(push.dry_run);
  CHECK(push.maps.empty());
}

TEST_CASE("a bad command line is refused with the reason") {
  struct Row {
    Words arguments;
    std::string message;
  };
  const std::vector<Row> rows{
      {{"a", "r", "--dry-rum"}, "unknown option '--dry-rum'; did you mean '--dry-run'?"},
      {{"a", "r", "--ouput=f"}, "unknown option '--ouput'; did you mean '--output'?"},
      {{"a", "r", "--password", "x"}, "unknown option '--password'"},
      {{"a", "r", "-z"}, "unknown option '-z'"},
      {{"a", "r", "-nz"}, "unknown option '-z'"},
      {{"a", "r", "--\x1b[2Jx"}, "unknown option '--\\x1b[2Jx'"},
      {{"a", "r", "--output"}, "--output needs a value: --output FILE"},
      {{"--output=", "a", "r"}, "--output needs a value"},
      {{"a", "r", "-o", ""}, "--output is empty"},
      {{"a", "r", "-o", "f", "--output", "g"}, "--output is given 2 times"},
      {{"a", "r", "--dry-run=no"}, "--dry-run takes no value"},
      {{"a", "r", "-j", "0"}, "--jobs: expected a number from 1 to 64, found '0'"},
      {{"a", "r", "--jobs", "65"}, "--jobs: expected a number from 1 to 64, found '65'"},
      {{"a", "r", "--jobs", "-1"}, "--jobs: expected a number from 1 to 64, found '-1'"},
      {{"a", "r", "--jobs", "4x"}, "--jobs: expected a number from 1 to 64, found '4x'"},
      {{"a", "r", "--jobs", "99999999999999999999"},
       "--jobs: expected a number from 1 to 64, found '99999999999999999999'"},
      {{}, "BUNDLE is missing"},
      {{"r"}, "expected BUNDLE... REGISTRY, found 'r' alone"},
  };
  for (const Row& row : rows) {
    Push push;
    CAPTURE(row.message);
    CHECK_THROWS_WITH_AS(push.parse(row.arguments), row.message.c_str(), diag::UsageError);
  }
}

TEST_CASE("required options and superfluous arguments are named") {
  cli::DeclaredCommand declared("airgap-test", "keygen", "Make keys");
  cli::Command& command = declared;
  std::string output;
  std::string name;
  command.option("--output", output, "FILE", "where", true);
  command.positional("NAME", name, "whose");
  const auto parse = [&](const Words& words) { cli::parse_arguments(declared.declaration(), words); };
  CHECK_THROWS_WITH_AS(parse({"n"}), "--output FILE is missing", diag::UsageError);
  CHECK_THROWS_WITH_AS(parse({"--output", "f"}), "NAME is missing", diag::UsageError);
  CHECK_THROWS_WITH_AS(parse({"--output", "f", "n", "m"}), "unexpected argument 'm'", diag::UsageError);
}

TEST_CASE("--help wins over everything else on the line") {
  Push push;
  CHECK(push.parse({"--help", "--what"}) == cli::Wanted::help);
  CHECK(push.parse({"-h"}) == cli::Wanted::help);
}

TEST_CASE("help shows usage, options by group, and examples, within 80 columns") {
  Push push;
  const std::string help = cli::command_help(push.declared.declaration());
  CHECK(help.starts_with("Usage: airgap-test push [OPTIONS] BUNDLE... REGISTRY\n"));
  for (const char* part : {"\nArguments:\n  BUNDLE", "\nOptions:\n  -o, --output FILE", "      --map FROM=TO",
                           "(repeatable)", "\nSpeed:\n  -j, --jobs N", "(default 6)",
                           "\nExamples:\n  airgap-test push stick/ registry.example\n      all of it\n"}) {
    CHECK_MESSAGE(help.find(part) != help.npos, part);
  }
  std::size_t longest = 0;
  for (std::size_t start = 0; start < help.size();) {
    const std::size_t end = std::min(help.find('\n', start), help.size());
    longest = std::max(longest, end - start);
    start = end + 1;
  }
  CHECK(longest <= 80);
}
