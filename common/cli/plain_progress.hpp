#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "common/cli/progress.hpp"

namespace airgap::cli {

/// "fetching: 312 MiB of 1.2 GiB (25%), 88.1 MiB/s, 00:11 left, 14 of 61 blobs", without a newline.
std::string plain_line(const ProgressState& state);
/// What stays when an activity has ended: "fetched: 1.2 GiB in 61 blobs, 00:14", or how far it came.
std::string final_line(const ProgressState& state);

std::string amount_text(const ProgressState& state, std::uint64_t amount);  ///< "312 MiB", or a number
std::string duration_text(std::chrono::seconds duration);                   ///< "00:11", "1:02:03"
unsigned percent(std::uint64_t done, std::uint64_t total);                  ///< 100 only when all is done

}  // namespace airgap::cli
