#include "common/cli/reported_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/diag/exit_code.hpp"
#include "common/diag/log.hpp"

namespace airgap::cli {

ReportedRun::ReportedRun(Context& context, std::string command) : m_context(context) {
  m_report.command = std::move(command);
}

int ReportedRun::run(std::string_view when_broken_off, const std::function<void()>& stages) {
  try {
    stages();
  } catch (diag::Error& error) {
    if (error.kind() == diag::ErrorKind::network && error.hint().empty()) {
      error.set_hint(std::string(when_broken_off));
    }
    m_report.status = diag::exit_code(error.kind());
    m_report.error = error.full_message();
    m_report.error_kind = diag::kind_name(error.kind());
    publish();
    throw;
  }
  publish();
  return m_report.status;
}

double ReportedRun::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - m_start).count();
}

void ReportedRun::add(ImageOutcome outcome) {
  const std::scoped_lock lock(m_mutex);
  m_report.images.push_back(std::move(outcome));
}

void ReportedRun::fail(ImageOutcome outcome, std::string_view verb, const diag::Error& error) {
  const std::string& shown = outcome.target.empty() ? outcome.name : outcome.target;
  const std::string hint = error.hint().empty() ? std::string{} : fmt::format(" (hint: {})", error.hint());
  diag::log(m_report.command, diag::LogLevel::error,
            fmt::format("{} {}: {}{}", shown, verb, error.full_message(), hint));
  outcome.outcome = "failed";
  outcome.error = error.full_message();
  outcome.error_kind = diag::kind_name(error.kind());
  outcome.hint = error.hint();
  const std::scoped_lock lock(m_mutex);
  if (m_report.status == 0) m_report.status = diag::exit_code(error.kind());
  m_report.images.push_back(std::move(outcome));
}

void ReportedRun::fail(const diag::Error& error) {
  const std::string hint = error.hint().empty() ? std::string{} : fmt::format(" (hint: {})", error.hint());
  diag::log(m_report.command, diag::LogLevel::error, error.full_message() + hint);
  const std::scoped_lock lock(m_mutex);
  if (m_report.status == 0) m_report.status = diag::exit_code(error.kind());
  if (!m_report.error.empty()) return;
  m_report.error = error.full_message();
  m_report.error_kind = diag::kind_name(error.kind());
}

void ReportedRun::publish() {
  m_report.seconds = seconds();
  std::stable_sort(m_report.images.begin(), m_report.images.end(),
                   [](const auto& a, const auto& b) { return a.name < b.name; });
  cli::publish(m_report, m_context);
}

}  // namespace airgap::cli
