#include "exporter/fetch_order.hpp"

#include "common/diag/error.hpp"

namespace airgap::exporter {

bool FetchOrder::begin(std::size_t index, std::uint64_t size, const std::stop_token& stop) {
  const bool large = size >= k_large;
  std::unique_lock lock(m_mutex);
  const bool reached = m_changed.wait(
      lock, stop, [&] { return m_given_up || (m_next == index && !m_alone && (!large || m_running == 0)); });
  if (m_given_up) return false;
  if (!reached) throw diag::Interrupted();
  ++m_next;
  ++m_running;
  m_alone = large;
  m_changed.notify_all();
  return true;
}

void FetchOrder::end() {
  const std::scoped_lock lock(m_mutex);
  --m_running;
  m_alone = false;  // a large one that ends was the only one
  m_changed.notify_all();
}

void FetchOrder::give_up() {
  const std::scoped_lock lock(m_mutex);
  m_given_up = true;
  m_changed.notify_all();
}

}  // namespace airgap::exporter
