#pragma once

#include <stop_token>

#include "common/http/retry_policy.hpp"
#include "common/registry/host_config.hpp"

namespace airgap::registry {

struct RegistryOptions {
  HostRules hosts;
  http::RetryPolicy retry;
  std::stop_token stop;
};

}  // namespace airgap::registry
