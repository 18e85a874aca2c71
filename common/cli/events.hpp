#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/cli/progress.hpp"
#include "common/diag/error.hpp"
#include "common/diag/log.hpp"

namespace airgap::cli {

// The events of --json: one object a line, members always in the same order. None throws for foreign text.

std::string blob_event(const hash::Digest& digest, std::uint64_t size, std::string_view outcome);
std::string image_event(std::string_view name, std::string_view outcome, std::uint64_t bytes, double seconds);
std::string progress_event(const ProgressState& state);
std::string log_event(diag::LogLevel level, std::string_view topic, std::string_view message);
std::string error_event(const diag::Error& error, int status);

std::string_view level_name(diag::LogLevel level) noexcept;  ///< "warning"
/// As JSON takes it: control characters and what is not UTF-8 are escaped; long texts stay whole.
std::string json_text(std::string_view text);

}  // namespace airgap::cli
