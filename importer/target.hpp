#pragma once

#include <string>

#include "common/image/reference.hpp"

namespace airgap::importer {

/// REGISTRY[/PREFIX] of the command line. Throws UsageError.
image::RegistryTarget parse_target(const std::string& text);

}  // namespace airgap::importer
