#pragma once

#include <stop_token>
#include <thread>

#include "common/diag/exit_code.hpp"

namespace airgap::cli {

/// While it lives, SIGINT, SIGTERM and SIGHUP ask for a stop; a second signal ends the process at once with
/// 128 + its number (R132). Signals that were ignored when the program began (nohup, a background job) stay
/// so. One at a time: handlers belong to the process.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  std::stop_token token() const { return m_stop.get_token(); }

 private:
  std::stop_source m_stop;
  std::thread m_waiter;  // asking for a stop is more than a handler may do
};

int received_signal() noexcept;  ///< the first one, 0 for none

/// diag::exit_code, and 128 + the signal for an interrupted run.
int exit_status(diag::ErrorKind kind) noexcept;

}  // namespace airgap::cli
