#pragma once

#include <cstdint>
#include <deque>

#include "common/task/clock.hpp"

namespace airgap::cli {

/// How fast a count grows, over the last seconds. Fed whenever somebody looks.
class RateMeter {
 public:
  using TimePoint = task::Clock::TimePoint;

  explicit RateMeter(TimePoint start) : m_samples{{start, 0}} {}
  /// `count` so far, never less than before. Per second; 0 while it is too early to say.
  double update(TimePoint now, std::uint64_t count);

 private:
  struct Sample {
    TimePoint time;
    std::uint64_t count;
  };
  std::deque<Sample> m_samples;  // the first is at least a window old, where there is such a one
};

}  // namespace airgap::cli
