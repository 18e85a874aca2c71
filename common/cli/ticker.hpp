#pragma once

#include <chrono>
#include <functional>
#include <thread>

namespace airgap::cli {

/// Calls `tick` every `period` on a thread of its own, first after one period, until it is destroyed.
class Ticker {
 public:
  Ticker(std::chrono::milliseconds period, std::function<void()> tick);

 private:
  std::jthread m_thread;
};

}  // namespace airgap::cli
