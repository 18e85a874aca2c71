#pragma once

#include <cstddef>
#include <string>

namespace airgap::io {

/// The text of a configuration file. Links are followed, for administrators link such files. Reading ends
/// once there are more than `most` bytes: who asks refuses a longer text. Throws StorageError.
std::string read_followed_file(const std::string& path, std::size_t most);

}  // namespace airgap::io
