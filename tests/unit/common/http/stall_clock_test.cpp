#include "common/http/stall_clock.hpp"

#include <doctest/doctest.h>

namespace airgap::http {

using namespace std::chrono_literals;

TEST_CASE("silence for the limit is a stall, however fast it was before") {
  StallClock clock(30s);
  clock.moved(1'000'000'000);
  clock.waited(29s);
  CHECK_FALSE(clock.expired());
  clock.waited(1s);
  CHECK(clock.expired());
}

TEST_CASE("a trickle below 1 KiB/s is a stall, one above is not") {
  StallClock slow(30s);
  StallClock fine(30s);
  for (int second = 0; second < 30; ++second) {
    slow.moved(1000);
    slow.waited(1s);
    fine.moved(1024);
    fine.waited(1s);
  }
  CHECK(slow.expired());
  CHECK_FALSE(fine.expired());
}

TEST_CASE("time that is not spent waiting does not count") {
  StallClock clock(30s);
  for (int i = 0; i < 1000; ++i) {
    clock.waited(20ms);
    clock.moved(65536);
  }
  CHECK_FALSE(clock.expired());
}

}  // namespace airgap::http
