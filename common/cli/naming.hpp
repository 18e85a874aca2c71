#pragma once

#include <string>
#include <vector>

#include "common/image/mapping.hpp"

namespace airgap::cli {

/// REGISTRY[/PREFIX]. Throws UsageError.
image::RegistryTarget parse_target(const std::string& text);

/// The naming options (--scoped, --flat, --map) as a mapping. Throws UsageError.
image::Mapping parse_naming(bool scoped, bool flat, const std::vector<std::string>& maps);

}  // namespace airgap::cli
