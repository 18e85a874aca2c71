#include "common/cli/ticker.hpp"

#include <condition_variable>
#include <mutex>

namespace airgap::cli {

Ticker::Ticker(std::chrono::milliseconds period, std::function<void()> tick)
    : m_thread([period, tick = std::move(tick)](const std::stop_token& stop) {
        std::mutex mutex;
        std::condition_variable_any never;
        std::unique_lock lock(mutex);
        while (!stop.stop_requested()) {
          never.wait_for(lock, stop, period, [] { return false; });
          if (!stop.stop_requested()) tick();
        }
      }) {}

}  // namespace airgap::cli
