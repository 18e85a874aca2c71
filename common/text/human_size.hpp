#pragma once

#include <cstdint>
#include <string>

namespace airgap::text {

std::string human_size(std::uint64_t bytes);  ///< "812 B", "12.3 MiB": three digits at most, binary units

/// "3 images", "1 image": `noun` is the singular and takes an s.
std::string counted(std::uint64_t count, const char* noun);

}  // namespace airgap::text
