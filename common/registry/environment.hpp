#pragma once

#include <string>

namespace airgap::registry {

/// The value of an environment variable; empty also when it is not set.
std::string environment(const char* name);

}  // namespace airgap::registry
