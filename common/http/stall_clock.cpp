#include "common/http/stall_clock.hpp"

namespace airgap::http {
namespace {
constexpr double k_lowest_rate = 1024;  // bytes a second
}

void StallClock::moved(std::uint64_t bytes) noexcept {
  if (bytes == 0) return;
  m_bytes += bytes;
  m_silence = {};
}

void StallClock::waited(Duration time) noexcept {
  m_silence += time;
  m_window += time;
  if (m_silence >= m_limit) m_expired = true;
  if (m_window < m_limit) return;
  const double seconds = std::chrono::duration<double>(m_window).count();
  if (static_cast<double>(m_bytes) < k_lowest_rate * seconds) m_expired = true;
  m_window = {};
  m_bytes = 0;
}

}  // namespace airgap::http
