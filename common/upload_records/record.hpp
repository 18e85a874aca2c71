#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "common/registry/kept_uploads.hpp"

namespace airgap::upload_records {

using Time = std::chrono::sys_seconds;

inline constexpr std::chrono::days k_longest_kept{7};               // registries purge sessions after so long
inline constexpr std::size_t k_max_record = std::size_t{16} << 10;  // bytes

/// JSON, and small.
std::string write_record(const registry::UploadKey& key, const registry::UploadState& state, Time now);
/// Nothing unless it is the whole record of this upload, and not older than k_longest_kept.
std::optional<registry::UploadState> read_record(std::string_view text, const registry::UploadKey& key,
                                                 Time now);

}  // namespace airgap::upload_records
