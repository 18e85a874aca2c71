#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <stop_token>

namespace airgap::exporter {

/// When a blob of an archive may begin on a file system that fills gaps (io::Medium): in order, and a large
/// one alone. Begun together, each would make the kernel write zeros over the places of those before it: half
/// as much again, and several times as slow. Safe from several threads.
class FetchOrder {
 public:
  static constexpr std::uint64_t k_large = std::uint64_t{4} << 20;  ///< bytes from which a blob goes alone

  /// Waits for the turn of blob `index`, every one before it having begun, and the large ones ended. False
  /// after give_up(): nothing more is to be begun. Throws Interrupted on a stop.
  bool begin(std::size_t index, std::uint64_t size, const std::stop_token& stop);
  void end();
  void give_up();

 private:
  std::mutex m_mutex;
  std::condition_variable_any m_changed;
  std::size_t m_next = 0;
  std::size_t m_running = 0;
  bool m_alone = false;
  bool m_given_up = false;
};

}  // namespace airgap::exporter
