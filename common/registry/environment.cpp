#include "common/registry/environment.hpp"

#include <cstdlib>

namespace airgap::registry {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace airgap::registry
