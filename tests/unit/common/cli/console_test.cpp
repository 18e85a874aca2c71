#include "common/cli/console.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>

#include "common/cli/events.hpp"
#include "common/cli/screen.hpp"
#include "common/cli/terminal.hpp"
#include "common/json/reader.hpp"
#include "tests/unit/common/cli/child_process.hpp"

using namespace airgap;
using cli::Console;
using cli::ConsoleOptions;
using cli::testing::MemoryFile;

namespace {

hash::Digest some_digest() {
  const std::array<std::byte, 32> bytes{};
  return {hash::Algorithm::sha256, bytes};
}

struct Captured {
  MemoryFile out;
  MemoryFile err;
};

ConsoleOptions json_options() {
  ConsoleOptions options;
  options.json = true;
  return options;
}

void say_everything(Console& console) {
  console.result("result");
  console.status("status");
  console.line(diag::LogLevel::warning, "http", "warned");
  console.image_finished("quay.io/org/app:1", "fetched", 2048, 1.25);
  console.begin_transfers("fetching", 100, 1);
  console.blob_started(some_digest(), 100, 0);
  console.blob_finished(some_digest(), 100, "fetched");
  console.end_transfers();
}

}  // namespace

TEST_CASE("results go to stdout and everything else to stderr") {
  const Captured captured;
  Console console({}, captured.out.fd(), captured.err.fd());
  say_everything(console);
  CHECK(captured.out.text() == "result\n");
  CHECK(captured.err.text() ==
        "status\nwarning: warned\nfetched   quay.io/org/app:1 (2.0 KiB, 1.2 s)\n"
        "fetching: 100 B in 1 blob, 00:00\n");
}

TEST_CASE("a quiet console says results, warnings and failures") {
  const Captured captured;
  ConsoleOptions options;
  options.quiet = true;
  Console console(options, captured.out.fd(), captured.err.fd());
  say_everything(console);
  console.image_finished("app:2", "failed", 0, 0);
  CHECK(captured.out.text() == "result\n");
  CHECK(captured.err.text() == "warning: warned\nfailed    app:2 (0.0 s)\n");
}

TEST_CASE("stdout that carries a bundle gets nothing else") {
  for (const ConsoleOptions& options : {ConsoleOptions{}, json_options()}) {
    const Captured captured;
    Console console(options, captured.out.fd(), captured.err.fd());
    console.reserve_stdout();
    say_everything(console);
    console.failure("airgap: error: x\n", diag::NetworkError("x"), 3);
    CHECK(captured.out.text().empty());
    CHECK(captured.err.text().starts_with(options.json ? "{\"event\":\"log\"" : "result\n"));
  }
}

TEST_CASE("with --json every line is an event with its members in order") {
  const Captured captured;
  Console console(json_options(), captured.out.fd(), captured.err.fd());
  say_everything(console);
  diag::NetworkError error("registry.example: 503", "later");
  error.add_context("fetching");
  console.failure("airgap: error: registry.example: 503\n", error, 3);
  CHECK(captured.err.text() == "airgap: error: registry.example: 503\n");
  const std::string digest = some_digest().str();
  CHECK(
      captured.out.text() ==
      R"({"event":"log","level":"info","topic":"","message":"status"})"
      "\n"
      R"({"event":"log","level":"warning","topic":"http","message":"warned"})"
      "\n"
      R"({"event":"image","name":"quay.io/org/app:1","outcome":"fetched","bytes":2048,"seconds":1.25})"
      "\n"
      R"({"event":"blob","digest":")" +
          digest +
          R"(","size":100,"outcome":"fetched"})"
          "\n"
          R"({"event":"progress","activity":"fetching","unit":"bytes","done":100,"total":100,"blobs_done":1,)"
          R"("blobs_total":1,"per_second":0,"seconds_left":null})"
          "\n"
          R"({"event":"error","kind":"network","status":3,"message":"registry.example: 503",)"
          R"("context":["fetching"],"hint":"later"})"
          "\n");
}

TEST_CASE("events hold foreign text as valid JSON") {
  const std::string event = cli::log_event(diag::LogLevel::error, "http", "\x1b[2J \xff \"quoted\" \\ \n");
  const auto document = json::Document::parse(event);
  CHECK(document.root().at("message").string() == R"(\x1b[2J \xff "quoted" \ \x0a)");
}

TEST_CASE("a full disk behind stdout fails results, and is remembered for events") {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  const MemoryFile err;
  Console console({}, full, err.fd());
  CHECK_THROWS_WITH_AS(console.result("x"), doctest::Contains("No space left"), diag::StorageError);
  Console machine(json_options(), full, err.fd());
  machine.status("x");
  CHECK(machine.output_failed());
  ::close(full);
}

TEST_CASE("a stderr that cannot be written ends nothing") {
  const MemoryFile out;
  Console console({}, out.fd(), -1);
  say_everything(console);
  CHECK(out.text() == "result\n");
}

TEST_CASE("an activity that was not ended leaves a line that says so") {
  const Captured captured;
  Console console({}, captured.out.fd(), captured.err.fd());
  console.begin_transfers("fetching", 100, 1);
  console.failure("airgap: error: x\n", diag::NetworkError("x"), 3);
  CHECK(captured.err.text() ==
        "fetching: 0 B of 100 B (0%), 0 of 1 blobs, 00:00, not finished\nairgap: error: x\n");
}

TEST_CASE("drawn lines are erased before a message and drawn again below it") {
  const Captured captured;
  cli::Screen screen(captured.out.fd(), captured.err.fd());
  screen.draw({{"one", 3}, {"two", 3}});
  screen.print_err("message\n");
  screen.clear();
  CHECK(captured.err.text() ==
        "one\x1b[K\ntwo\x1b[K"
        "\r\x1b[2K\x1b[A\x1b[2K"
        "message\n"
        "one\x1b[K\ntwo\x1b[K"
        "\r\x1b[2K\x1b[A\x1b[2K");
}

TEST_CASE("drawing never hides the cursor") {
  const Captured captured;
  cli::Screen screen(captured.out.fd(), captured.err.fd());
  screen.draw({{"one", 3}});
  screen.draw({{"uno", 3}});
  screen.clear();
  CHECK(captured.err.text().find("\x1b[?") == std::string::npos);
}

TEST_CASE("the environment decides about colour, UTF-8 and cursor movement") {
  struct Row {
    const char* variable;
    const char* value;
    cli::TerminalTraits expected;  // dumb, utf8, no_color
  };
  const auto traits = [](const Row& row) {
    return cli::terminal_traits([&](const char* name) -> std::string {
      if (std::string(name) == row.variable) return row.value;
      return std::string(name) == "TERM" ? "xterm" : "";
    });
  };
  for (const Row& row :
       {Row{"X", "", {false, false, false}}, Row{"TERM", "dumb", {true, false, false}},
        Row{"TERM", "", {true, false, false}}, Row{"NO_COLOR", "1", {false, false, true}},
        Row{"LANG", "de_DE.UTF-8", {false, true, false}}, Row{"LC_ALL", "C.utf8", {false, true, false}},
        Row{"LC_ALL", "C", {false, false, false}}}) {
    CAPTURE(row.variable);
    CAPTURE(row.value);
    const cli::TerminalTraits found = traits(row);
    CHECK(found.dumb == row.expected.dumb);
    CHECK(found.utf8 == row.expected.utf8);
    CHECK(found.no_color == row.expected.no_color);
  }
}

TEST_CASE("an unknown terminal size is 80 by 24") {
  const MemoryFile file;
  CHECK(cli::terminal_size(file.fd()).columns == 80);
  CHECK(cli::terminal_size(file.fd()).rows == 24);
}
