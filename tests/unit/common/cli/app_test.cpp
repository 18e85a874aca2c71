#include "common/cli/app.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <stdexcept>
#include <system_error>

#include "common/cli/report.hpp"
#include "common/diag/log.hpp"
#include "common/json/reader.hpp"
#include "common/task/clock.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/common/cli/child_process.hpp"

using namespace airgap;
using cli::App;
using cli::Context;
using cli::testing::Outcome;
using cli::testing::run_app;
using Words = std::vector<std::string>;

namespace {

// A program with two commands; `work` does `verify`.
Outcome run(
    const Words& arguments, std::function<int(Context&)> work = [](Context&) { return 0; }) {
  bool deep = false;
  return run_app(
      [&](App& app) {
        auto& verify = app.command("verify", "Check a bundle");
        verify.flag("--deep", deep, "look at everything");
        verify.runs(work);
        app.command("list", "Show a bundle").runs([](Context& context) {
          context.console.result("contents");
          return 0;
        });
      },
      arguments);
}

Outcome run_throwing(const std::function<void()>& raise, const Words& options = {}) {
  Words arguments{"verify"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  return run(arguments, [&](Context&) -> int {
    raise();
    return 0;
  });
}

std::string contents(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  REQUIRE(fd >= 0);
  std::string text(4096, '\0');
  text.resize(static_cast<std::size_t>(::read(fd, text.data(), text.size())));
  ::close(fd);
  return text;
}

}  // namespace

TEST_CASE("a bad command line exits 2 with one line and the way to help") {
  struct Row {
    Words arguments;
    std::string err;
  };
  const std::vector<Row> rows{
      {{"verfy"}, "airgap-test: unknown command 'verfy'; did you mean 'verify'?\ntry 'airgap-test --help'\n"},
      {{"frobnicate"}, "airgap-test: unknown command 'frobnicate'\ntry 'airgap-test --help'\n"},
      {{"\x1b]0;x"}, "airgap-test: unknown command '\\x1b]0;x'\ntry 'airgap-test --help'\n"},
      {{"--quiet", "verify"},
       "airgap-test: the command comes first, before '--quiet'\ntry 'airgap-test --help'\n"},
      {{"verify", "--deeep"},
       "airgap-test: unknown option '--deeep'; did you mean '--deep'?\ntry 'airgap-test verify --help'\n"},
      {{"verify", "x"}, "airgap-test: unexpected argument 'x'\ntry 'airgap-test verify --help'\n"},
      {{"verify", "--color", "blue"},
       "airgap-test: --color: expected auto, always or never, found 'blue'\ntry 'airgap-test verify "
       "--help'\n"},
      {{"verify", "--progress=fast"},
       "airgap-test: --progress: expected auto, plain or none, found 'fast'\ntry 'airgap-test verify "
       "--help'\n"},
      {{"verify", "-q", "-v"},
       "airgap-test: --quiet and --verbose exclude each other\ntry 'airgap-test verify --help'\n"},
  };
  for (const Row& row : rows) {
    const Outcome outcome = run(row.arguments);
    CHECK(outcome.status == 2);
    CHECK(outcome.out.empty());
    CHECK(outcome.err == row.err);
  }
}

TEST_CASE("without a command the help goes to stderr and the status is 2") {
  const Outcome outcome = run({});
  CHECK(outcome.status == 2);
  CHECK(outcome.out.empty());
  CHECK(outcome.err.find("verify  Check a bundle") != std::string::npos);
}

TEST_CASE("help and version go to stdout") {
  for (const Words& words : {Words{"--help"}, Words{"-h"}, Words{"help"}}) {
    CHECK(run(words).out.starts_with("Usage: airgap-test COMMAND"));
  }
  for (const Words& words : {Words{"verify", "--help"}, Words{"help", "verify"}}) {
    const Outcome outcome = run(words);
    CHECK(outcome.status == 0);
    CHECK(outcome.out.starts_with("Usage: airgap-test verify [OPTIONS]\n"));
    CHECK(outcome.out.find("\nOutput:\n  -q, --quiet") != std::string::npos);
  }
  CHECK(run({"--version"}).out.starts_with("airgap-test 0."));
}

TEST_CASE("what a command throws becomes its exit status") {
  CHECK(run({"verify"}, [](Context&) { return 5; }).status == 5);
  CHECK(run_throwing([] { throw diag::UsageError("x"); }).status == 2);
  CHECK(run_throwing([] { throw diag::NetworkError("x"); }).status == 3);
  CHECK(run_throwing([] { throw diag::CredentialsError("x"); }).status == 4);
  CHECK(run_throwing([] { throw diag::IntegrityError("x"); }).status == 5);
  CHECK(run_throwing([] { throw diag::FormatError("x"); }).status == 6);
  CHECK(run_throwing([] { throw diag::StorageError("x"); }).status == 7);
  CHECK(run_throwing([] { throw diag::BusyError("x"); }).status == 8);
  CHECK(run_throwing([] { throw std::bad_alloc(); }).status == 7);
  CHECK(run_throwing([] { throw std::runtime_error("x"); }).status == 1);
  CHECK(run_throwing([] { throw 7; }).status == 1);
}

TEST_CASE("an error says what, while doing what, and what to do") {
  const Outcome outcome = run_throwing([] {
    diag::IntegrityError error("bytes differ", "fetch it again");
    error.add_context("reading the layer");
    error.add_context("pulling app:1");
    throw error;
  });
  CHECK(outcome.err ==
        "airgap-test: error: bytes differ\n  while reading the layer\n  while pulling app:1\n"
        "  hint: fetch it again\n");
  CHECK(run_throwing([] { throw std::bad_alloc(); }).err.find("out of memory") != std::string::npos);
  const auto no_thread = [] {
    throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
  };
  CHECK(run_throwing(no_thread).err.find("no more threads") != std::string::npos);
  CHECK(run_throwing([] { throw std::runtime_error("\x1b"); }).err.find("\\x1b") != std::string::npos);
  CHECK(run_throwing([] { throw std::runtime_error("x"); }).err.find("this is a bug") != std::string::npos);
}

TEST_CASE("with --json a failure is an event, and the last line is always the report") {
  const Outcome outcome = run_throwing([] { throw diag::NetworkError("503", "later"); }, {"--json"});
  CHECK(outcome.status == 3);
  const std::size_t line_end = outcome.out.find('\n');
  CHECK(outcome.out.substr(0, line_end) ==
        R"({"event":"error","kind":"network","status":3,"message":"503","context":[],"hint":"later"})");
  const auto done = json::Document::parse(
      std::string_view(outcome.out).substr(line_end + 1, outcome.out.size() - line_end - 2));
  CHECK(done.root().at("event").string() == "done");
  CHECK(done.root().at("status").uint64() == 3);
  CHECK(done.root().at("error_kind").string() == "network");
}

TEST_CASE("a report file is written whatever the outcome, and replaces an older one") {
  const test::TempDir directory;
  const std::string path = directory.path("report.json");
  CHECK(run({"verify", "--report", path}).status == 0);
  CHECK(json::Document::parse(contents(path)).root().at("status").uint64() == 0);
  CHECK(run_throwing([] { throw diag::NetworkError("503"); }, {"--report", path}).status == 3);
  const auto report = json::Document::parse(contents(path));
  CHECK(report.root().at("status").uint64() == 3);
  CHECK(report.root().at("error").string() == "503");
  CHECK(std::filesystem::directory_iterator(directory.path())->path() == path);
}

TEST_CASE("a command's own report is the one that is written") {
  const test::TempDir directory;
  const std::string path = directory.path("report.json");
  const Outcome outcome = run({"verify", "--report", path}, [](Context& context) {
    cli::RunReport report;
    report.command = "verify";
    report.status = 5;
    report.images.push_back(
        {"app:1", "", "", 12, "failed", 0.5, "bytes differ", "integrity", "try again", {"a note"}});
    cli::publish(report, context);
    return 5;
  });
  CHECK(outcome.status == 5);
  const auto document = json::Document::parse(contents(path));
  const auto image = document.root().at("images").elements().at(0);
  CHECK(image.at("name").string() == "app:1");
  CHECK(image.at("hint").string() == "try again");
  CHECK(image.at("notes").string_list() == Words{"a note"});
}

TEST_CASE("a report that cannot be written is found out before the work") {
  const test::TempDir directory;
  for (const std::string& path :
       {std::string("/nonexistent/report.json"), directory.path(), directory.path("missing/")}) {
    CAPTURE(path);
    const Outcome outcome = run({"verify", "--report", path}, [](Context& context) {
      context.console.result("worked");
      return 0;
    });
    CHECK(outcome.status == 7);
    CHECK(outcome.out.empty());
    CHECK(outcome.err.find("cannot write the report file") != std::string::npos);
  }
}

TEST_CASE("a report goes to a device as it is, which stays a device") {
  CHECK(run({"verify", "--report", "/dev/null"}).status == 0);
  CHECK(std::filesystem::is_character_file("/dev/null"));
}

TEST_CASE("AIRGAP_LOG and --verbose choose what is logged") {
  const auto log_lines = [](Context&) {
    diag::log("http", diag::LogLevel::trace, "traced");
    diag::log("plan", diag::LogLevel::debug, "debugged");
    diag::log("plan", diag::LogLevel::info, "told");
    diag::log("plan", diag::LogLevel::warning, "warned");
    return 0;
  };
  CHECK(run({"verify"}, log_lines).err == "told\nwarning: warned\n");
  CHECK(run({"verify", "--quiet"}, log_lines).err == "warning: warned\n");
  CHECK(run({"verify", "--verbose"}, log_lines).err == "debug plan: debugged\ntold\nwarning: warned\n");
  ::setenv("AIRGAP_LOG", "http:trace", 1);
  CHECK(run({"verify"}, log_lines).err == "trace http: traced\ntold\nwarning: warned\n");
  ::setenv("AIRGAP_LOG", "http:loud", 1);
  CHECK(run({"verify"}, log_lines).status == 2);
  ::unsetenv("AIRGAP_LOG");
}

TEST_CASE("a closed stdout is no file of ours, and fails only what was asked for") {
  const auto run_closed = [](const Words& arguments, const std::function<int(Context&)>& work) {
    return cli::testing::in_child([&] {
      ::close(1);
      App app("airgap-test", "A program of the tests");
      app.command("verify", "Check").runs(work);
      Words words{"airgap-test"};
      words.insert(words.end(), arguments.begin(), arguments.end());
      std::vector<char*> argv;
      for (std::string& word : words) argv.push_back(word.data());
      return app.run(static_cast<int>(argv.size()), argv.data());
    });
  };
  const auto opens_a_file = [](Context&) { return ::open("/dev/null", O_RDONLY | O_CLOEXEC) > 2 ? 0 : 1; };
  const auto prints = [](Context& context) {
    context.console.result("x");
    return 0;
  };
  CHECK(run_closed({"verify"}, opens_a_file).status == 0);
  CHECK(run_closed({"verify"}, prints).status == 7);
  CHECK(run_closed({"verify", "--json"}, opens_a_file).status == 7);
}

TEST_CASE("a signal asks the command to stop and becomes the exit status") {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    const Outcome outcome = run({"verify"}, [&](Context& context) {
      ::raise(number);
      task::system_clock().sleep(std::chrono::seconds(60), context.stop);  // throws Interrupted at once
      return 0;
    });
    CHECK(outcome.status == 128 + number);
    CHECK(outcome.err.find("interrupted by SIG") != std::string::npos);
  }
}

TEST_CASE("an interrupted run that returns its status keeps the signal") {
  const Outcome outcome = run({"verify", "--json"}, [](Context& context) {
    ::raise(SIGTERM);
    try {
      task::system_clock().sleep(std::chrono::seconds(60), context.stop);
    } catch (const diag::Interrupted&) {
    }
    cli::RunReport report;
    report.status = 130;
    cli::publish(report, context);
    return 130;
  });
  CHECK(outcome.status == 143);
  CHECK(outcome.out.find(R"("status":143)") != std::string::npos);
}

TEST_CASE("the file size limit and a broken pipe are errors of the write, not the end of the process") {
  const Outcome outcome = run({"verify"}, [](Context&) {
    ::raise(SIGPIPE);
    ::raise(SIGXFSZ);
    return 0;
  });
  CHECK(outcome.status == 0);
}
