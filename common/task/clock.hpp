#pragma once

#include <chrono>
#include <stop_token>

namespace airgap::task {

/// Time as the code sees it, so that tests do not wait. Safe from any thread.
class Clock {
 public:
  using Duration = std::chrono::milliseconds;
  using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;

  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
  virtual std::chrono::system_clock::time_point wall() const = 0;
  /// Returns after `duration`; throws diag::Interrupted as soon as a stop is asked for.
  virtual void sleep(Duration duration, std::stop_token stop) = 0;
};

/// The real clock; one for the process.
Clock& system_clock();

}  // namespace airgap::task
