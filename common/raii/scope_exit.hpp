#pragma once

#include <utility>

namespace airgap::raii {

/// Runs `action` when the scope ends, however it ends. `action` must not throw.
template <class Action>
class ScopeExit {
 public:
  explicit ScopeExit(Action action) : m_action(std::move(action)) {}
  ScopeExit(const ScopeExit&) = delete;
  ScopeExit& operator=(const ScopeExit&) = delete;
  ~ScopeExit() { m_action(); }

 private:
  Action m_action;
};

}  // namespace airgap::raii
