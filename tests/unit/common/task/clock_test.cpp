#include "common/task/clock.hpp"

#include <doctest/doctest.h>

#include <thread>

#include "common/diag/error.hpp"

namespace airgap::task {

TEST_CASE("a sleep lasts at least as long as was asked for") {
  Clock& clock = system_clock();
  const auto begin = clock.now();
  clock.sleep(std::chrono::milliseconds(20), {});
  CHECK(clock.now() - begin >= std::chrono::milliseconds(20));
}

TEST_CASE("a stop request ends a long sleep at once") {
  std::stop_source stop;
  const std::jthread other([&stop] { stop.request_stop(); });
  const auto begin = system_clock().now();
  CHECK_THROWS_AS(system_clock().sleep(std::chrono::hours(1), stop.get_token()), diag::Interrupted);
  CHECK(system_clock().now() - begin < std::chrono::minutes(1));
}

}  // namespace airgap::task
