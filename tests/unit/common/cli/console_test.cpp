#include "common/cli/console.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

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
        "fetched: 100 B in 1 blob, 00:00\n");
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

TEST_CASE("on a terminal a bar is drawn in place and gone at the end") {
  int master = -1;
  int slave = -1;
  const winsize size{24, 80, 0, 0};
  REQUIRE(::openpty(&master, &slave, nullptr, nullptr, &size) == 0);
  ::setenv("TERM", "xterm", 1);
  const MemoryFile out;
  std::string seen;
  const auto read_until = [&](const char* text) {
    std::array<char, 4096> part{};
    while (seen.find(text) == seen.npos) {
      pollfd ready{master, POLLIN, 0};
      REQUIRE(::poll(&ready, 1, 30'000) == 1);
      const ssize_t count = ::read(master, part.data(), part.size());
      REQUIRE(count > 0);
      seen.append(part.data(), static_cast<std::size_t>(count));
    }
  };
  Console console({}, out.fd(), slave);
  console.begin_transfers("fetching", 100, 2);
  read_until("fetching    0%  [");
  console.status("a message");
  read_until("\r\x1b[2Ka message\r\n");
  console.end_transfers();
  read_until("\r\x1b[2Kfetching: 0 B of 100 B (0%), 0 of 2 blobs, 00:00, not finished\r\n");
  CHECK(seen.find("\x1b[?25l") == std::string::npos);
  ::close(master);
  ::close(slave);
}

TEST_CASE("what is typed at a question is not erased by the display") {
  int master = -1;
  int slave = -1;
  const winsize size{24, 80, 0, 0};
  REQUIRE(::openpty(&master, &slave, nullptr, nullptr, &size) == 0);
  ::setenv("TERM", "xterm", 1);
  const MemoryFile out;
  std::string seen;
  const auto read_some = [&](int patience) {  // milliseconds
    std::array<char, 4096> part{};
    pollfd ready{master, POLLIN, 0};
    if (::poll(&ready, 1, patience) != 1) return false;
    const ssize_t count = ::read(master, part.data(), part.size());
    REQUIRE(count > 0);
    seen.append(part.data(), static_cast<std::size_t>(count));
    return true;
  };
  const auto read_until = [&](const char* text) {
    while (seen.find(text) == seen.npos) REQUIRE(read_some(30'000));
  };
  Console console({}, out.fd(), slave);
  console.begin_transfers("pushing", 100, 2);
  read_until("pushing    0%  [");
  console.pause();
  console.status("the question");
  read_until("the question\r\n");
  seen.clear();
  constexpr int k_several_frames = 500;  // milliseconds; one comes every 100
  CHECK_FALSE(read_some(k_several_frames));
  CHECK(seen.empty());
  console.resume();
  read_until("pushing    0%  [");
  console.end_transfers();
  ::close(master);
  ::close(slave);
}

TEST_CASE("threads that talk at once do not tear each other's lines") {
  const Captured captured;
  {
    Console console(json_options(), captured.out.fd(), captured.err.fd());
    console.begin_transfers("fetching", 4000, 4);
    std::vector<std::jthread> threads;
    for (unsigned char number = 1; number <= 4; ++number) {
      threads.emplace_back([&console, number] {
        std::array<std::byte, 32> bytes{};
        bytes.fill(std::byte{number});
        const hash::Digest digest(hash::Algorithm::sha256, bytes);
        console.blob_started(digest, 1000, 0);
        for (int i = 0; i < 100; ++i) {
          console.blob_progress(digest, 10);
          console.status("a message");
        }
        console.blob_finished(digest, 1000, "fetched");
      });
    }
    threads.clear();
    console.end_transfers();
  }
  std::istringstream lines(captured.out.text());
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) CHECK_NOTHROW(json::Document::parse(line));
  CHECK(count >= 405);
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
