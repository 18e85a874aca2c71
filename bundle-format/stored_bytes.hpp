#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace airgap::bundle {

/// The bytes of these files, and of all files below these directories, as they lie there: what several names
/// share is counted once, what operating systems drop is not. Throws StorageError where the medium fails.
std::uint64_t stored_bytes(const std::vector<std::string>& paths);

}  // namespace airgap::bundle
