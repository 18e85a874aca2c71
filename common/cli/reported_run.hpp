#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "common/cli/report.hpp"
#include "common/diag/error.hpp"

namespace airgap::cli {

/// One run of a command with a report: what becomes of the images is written down here, and the report goes
/// out however the run ends. Thread-safe where it says so.
class ReportedRun {
 public:
  ReportedRun(Context& context, std::string command);

  /// Runs the stages and publishes the report. Returns the exit status; what the stages throw is reported
  /// first, a failure of the network without a hint gets `when_broken_off`.
  int run(std::string_view when_broken_off, const std::function<void()>& stages);

  RunReport& report() noexcept { return m_report; }
  double seconds() const;

  /// Writes an image down. Thread-safe.
  void add(ImageOutcome outcome);
  /// An image is given up (--keep-going): a line with `verb` ("is left out") and the hint, "failed" in the
  /// report, and the run's exit status is the first such failure's. Thread-safe.
  void fail(ImageOutcome outcome, std::string_view verb, const diag::Error& error);
  /// Something is wrong that no image has anything of: a line and the report's own error, and the run goes
  /// on to the end with its exit status.
  void fail(const diag::Error& error);

 private:
  void publish();

  Context& m_context;
  std::chrono::steady_clock::time_point m_start = std::chrono::steady_clock::now();
  std::mutex m_mutex;
  RunReport m_report;  // images and status: under m_mutex while workers run
};

}  // namespace airgap::cli
