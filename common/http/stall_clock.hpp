#pragma once

#include <chrono>
#include <cstdint>

namespace airgap::http {

/// Decides when a transfer has stalled (R20, R21). Only time spent waiting for the other side counts, so a
/// slow disk or a slow upload source never looks like a slow line.
class StallClock {
 public:
  using Duration = std::chrono::steady_clock::duration;

  explicit StallClock(Duration limit) : m_limit(limit) {}
  void set_limit(Duration limit) noexcept { m_limit = limit; }

  void moved(std::uint64_t bytes) noexcept;
  void waited(Duration time) noexcept;
  /// Nothing at all for the limit, or below 1 KiB/s over it.
  bool expired() const noexcept { return m_expired; }

 private:
  Duration m_limit;
  Duration m_silence{};       // since the last byte
  Duration m_window{};        // tumbling, as long as the limit
  std::uint64_t m_bytes = 0;  // within the window
  bool m_expired = false;
};

}  // namespace airgap::http
