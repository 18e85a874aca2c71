#pragma once

#include <stop_token>
#include <vector>

#include "common/diag/error.hpp"
#include "common/task/clock.hpp"
#include "common/task/guarded.hpp"

namespace airgap::test {

/// Time that passes only when somebody sleeps. Starts at 2026-01-01 00:00 UTC.
class FakeClock : public task::Clock {
 public:
  TimePoint now() const override {
    return TimePoint(m_state.with([](const State& state) { return state.passed; }));
  }
  std::chrono::system_clock::time_point wall() const override {
    return std::chrono::sys_days(std::chrono::year{2026} / 1 / 1) +
           m_state.with([](const State& state) { return state.passed; });
  }
  void sleep(Duration duration, std::stop_token stop) override {
    if (stop.stop_requested()) throw diag::Interrupted();
    advance(duration);
    m_state.with([&](State& state) { state.sleeps.push_back(duration); });
  }
  void advance(Duration duration) {
    m_state.with([&](State& state) { state.passed += duration; });
  }
  std::vector<Duration> sleeps() const {
    return m_state.with([](const State& state) { return state.sleeps; });
  }

 private:
  struct State {
    Duration passed{};
    std::vector<Duration> sleeps;
  };
  task::Guarded<State> m_state;
};

}  // namespace airgap::test
