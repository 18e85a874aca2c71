#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/cli/context.hpp"

namespace airgap::cli {

/// What became of one image; a line of --report and an event of --json.
struct ImageOutcome {
  std::string name;    ///< full source name
  std::string digest;  ///< empty when it was never known
  std::string target;  ///< where it went: name in the internal registry; empty for export
  std::uint64_t bytes = 0;
  std::string outcome;  ///< "fetched", "unchanged", "pushed", "present", "deleted", "failed", "skipped"
  double seconds = 0;
  std::string error;               ///< message, empty without a failure
  std::string error_kind;          ///< "network", "integrity", …
  std::string hint;                ///< what the operator does next about the failure; may be empty
  std::vector<std::string> notes;  ///< "the index was narrowed to linux/amd64; original digest sha256:…"
};

/// What a whole run did. Written as JSON to --report FILE whatever the outcome, and as a last event.
struct RunReport {
  std::string command;  ///< "pull"
  std::string bundle;   ///< path as given
  std::vector<std::string>
      files;                ///< of a bundle that was sealed and is no directory: paths, volumes by number
  std::size_t volumes = 0;  ///< how many of them are volumes; 0 where the bundle is in one piece
  std::string target;       ///< registry/prefix, for push
  std::vector<ImageOutcome> images;
  std::uint64_t bytes_moved = 0;
  std::uint64_t bytes_present = 0;  ///< that were there already
  std::uint64_t blobs_moved = 0;
  double seconds = 0;
  int status = 0;          ///< exit status
  std::string error;       ///< what ended the run as a whole, or is wrong beside the images; empty otherwise
  std::string error_kind;  ///< "network", "integrity", …
};

/// The text of a report file: JSON, members always in the same order.
std::string report_json(const RunReport& report, const Context& context);

/// Sends the "done" event and writes the report file when --report asked for one (StorageError when that
/// fails). Called once, last. A run that was interrupted gets 128 + the signal as its status.
void publish(const RunReport& report, Context& context);

}  // namespace airgap::cli
