#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "common/cli/console.hpp"

namespace airgap::cli {

/// What a command runs with.
struct Context {
  std::string program;      ///< "airgap-export"
  std::string version;      ///< "0.1.0"
  std::stop_token stop;     ///< asked for by SIGINT, SIGTERM, SIGHUP
  Console& console;         ///< where everything for people and machines goes
  std::string report_file;  ///< --report, empty for none
  bool published = false;  ///< a report went out (report.hpp); otherwise App sends one that says how it ended

  /// Who wrote a document, as "creator" in it says: "airgap-export 0.1.0".
  std::string creator() const { return program + " " + version; }
};

}  // namespace airgap::cli
