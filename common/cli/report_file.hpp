#pragma once

#include <string>
#include <string_view>

namespace airgap::cli {

/// Finds out before the work whether a report can be written to `path`. Throws StorageError.
void check_report_file(const std::string& path);

/// A regular file appears or is replaced as a whole; a device or pipe (/dev/stdout) is written to. Throws
/// StorageError.
void write_report_file(const std::string& path, std::string_view text);

}  // namespace airgap::cli
