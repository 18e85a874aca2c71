#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>

namespace airgap::bundle {

/// Of all that wait, in bytes: eight of them, and the buffers stay well below the 64 MiB that a run may take.
inline constexpr std::uint64_t k_prefetch_total = std::uint64_t{34} << 20;
/// A connection that nobody reads from is let go after this, before the other side does; the rest is asked
/// for again.
inline constexpr auto k_patience = std::chrono::seconds(10);

/// Says whose turn it is. The first failure is everybody's.
class Turns {
 public:
  /// Returns when `index` is next. Calls `impatient` once when that takes long.
  template <class Impatient>
  void wait_for(std::size_t index, Impatient&& impatient) {
    std::unique_lock lock(m_mutex);
    const auto done = [&] { return m_failure || m_next == index; };
    if (!m_changed.wait_for(lock, k_patience, done)) {
      lock.unlock();
      impatient();
      lock.lock();
      m_changed.wait(lock, done);
    }
    // A copy: errors gather context on the way up, each thread its own.
    if (m_failure) m_failure();
  }
  /// Ends the turn, and as many after it as were taken along.
  void next(std::size_t turns = 1) {
    {
      const std::scoped_lock lock(m_mutex);
      m_next += turns;
    }
    m_changed.notify_all();
  }
  template <class Error>
  void fail(const Error& error) {
    {
      const std::scoped_lock lock(m_mutex);
      if (!m_failure) m_failure = [error] { throw Error(error); };
    }
    m_changed.notify_all();
  }
  /// Throws that failure, once there is one.
  void check() const {
    const std::scoped_lock lock(m_mutex);
    if (m_failure) m_failure();
  }
  std::size_t finished() const {
    const std::scoped_lock lock(m_mutex);
    return m_next;
  }

  bool reserve(std::uint64_t bytes) {
    const std::scoped_lock lock(m_mutex);
    if (m_reserved + bytes > k_prefetch_total) return false;
    m_reserved += bytes;
    return true;
  }
  void release(std::uint64_t bytes) {
    const std::scoped_lock lock(m_mutex);
    m_reserved -= bytes;
  }

 private:
  mutable std::mutex m_mutex;
  std::condition_variable m_changed;
  std::size_t m_next = 0;
  std::uint64_t m_reserved = 0;
  std::function<void()> m_failure;  ///< throws it
};

}  // namespace airgap::bundle
