#pragma once

#include <string>

#include "common/cli/app.hpp"
#include "common/cli/console.hpp"

namespace airgap::cli {

/// The options that every command has.
struct OutputOptions {
  ConsoleOptions console;
  std::string report_file;

  void declare(Command& command);
  /// Takes over what was parsed; UsageError for an unknown choice.
  void finish();
  /// For diag::configure_log: the options' level, then what AIRGAP_LOG says.
  std::string log_levels(const std::string& environment) const;

 private:
  std::string m_color = "auto";
  std::string m_progress = "auto";
};

}  // namespace airgap::cli
