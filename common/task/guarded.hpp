#pragma once

#include <mutex>
#include <utility>

namespace airgap::task {

/// A value that is reached only under its mutex.
template <class T>
class Guarded {
 public:
  Guarded() = default;
  explicit Guarded(T value) : m_value(std::move(value)) {}

  /// Calls `use(value)` under the lock and returns what it returns. Must not be nested.
  template <class Use>
  decltype(auto) with(Use&& use) {
    const std::scoped_lock lock(m_mutex);
    return std::forward<Use>(use)(m_value);
  }
  template <class Use>
  decltype(auto) with(Use&& use) const {
    const std::scoped_lock lock(m_mutex);
    return std::forward<Use>(use)(m_value);
  }

 private:
  mutable std::mutex m_mutex;
  T m_value{};
};

}  // namespace airgap::task
