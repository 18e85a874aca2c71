#pragma once

#include <cstddef>
#include <string_view>

#include "common/image/platform.hpp"

namespace airgap::image {

inline constexpr std::size_t k_max_config = std::size_t{32} * 1024 * 1024;  ///< bytes

/// The platform that the config of a runnable image (Manifest::is_runnable) names. Throws FormatError.
Platform parse_config_platform(std::string_view bytes);

}  // namespace airgap::image
