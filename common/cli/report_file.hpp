#pragma once

#include <string>
#include <string_view>

namespace airgap::cli {

// What a run leaves behind for others to read: reports, receipts.

/// Finds out before the work whether `what` ("report file") can be written to `path`. Throws StorageError.
void check_report_file(const std::string& path, std::string_view what = "report file");

/// A regular file appears or is replaced as a whole; a device or pipe (/dev/stdout) is written to. Throws
/// StorageError.
void write_report_file(const std::string& path, std::string_view text, std::string_view what = "report file");

}  // namespace airgap::cli
