#include "common/cli/interrupt.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "common/diag/error.hpp"
#include "common/task/clock.hpp"
#include "tests/unit/common/cli/child_process.hpp"

using namespace airgap;
using cli::Interrupt;
using cli::testing::in_child;
using namespace std::chrono_literals;

namespace {

// True as soon as a stop was asked for; false when none is within a minute.
bool stopped(const Interrupt& interrupt) {
  try {
    task::system_clock().sleep(60s, interrupt.token());
    return false;
  } catch (const diag::Interrupted&) {
    return true;
  }
}

}  // namespace

TEST_CASE("SIGTERM asks for a stop and decides the status of an interrupted run") {
  const auto outcome = in_child([] {
    const Interrupt interrupt;
    if (interrupt.token().stop_requested() || cli::received_signal() != 0) return 1;
    ::raise(SIGTERM);
    if (!stopped(interrupt)) return 2;
    return cli::exit_status(diag::ErrorKind::interrupted);
  });
  CHECK(outcome.status == 143);
}

TEST_CASE("a second signal ends the process at once") {
  const auto outcome = in_child([] {
    const Interrupt interrupt;
    ::raise(SIGINT);
    if (!stopped(interrupt)) return 2;
    std::this_thread::sleep_for(150ms);  // sooner it would be the same wish delivered twice
    ::raise(SIGTERM);
    return 3;
  });
  CHECK(outcome.status == 128 + SIGTERM);
}

TEST_CASE("one wish delivered twice is one wish") {
  const auto outcome = in_child([] {
    const Interrupt interrupt;
    ::raise(SIGHUP);
    ::raise(SIGHUP);
    return stopped(interrupt) ? 0 : 2;
  });
  CHECK(outcome.status == 0);
}

TEST_CASE("a signal that was ignored at the start stays ignored") {
  const auto outcome = in_child([] {
    std::signal(SIGHUP, SIG_IGN);  // as nohup does
    const Interrupt interrupt;
    ::raise(SIGHUP);
    return cli::received_signal();
  });
  CHECK(outcome.status == 0);
}

TEST_CASE("afterwards signals end the process again") {
  const auto outcome = in_child([] {
    { const Interrupt interrupt; }
    ::raise(SIGTERM);
    return 0;
  });
  CHECK(outcome.status == -SIGTERM);
}

TEST_CASE("other errors keep their status") {
  CHECK(cli::exit_status(diag::ErrorKind::network) == 3);
  CHECK(cli::exit_status(diag::ErrorKind::interrupted) == 130);
}
