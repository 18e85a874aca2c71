#pragma once

#include <stop_token>

#include "common/http/retry_policy.hpp"
#include "common/registry/host_config.hpp"
#include "common/registry/kept_uploads.hpp"
#include "common/registry/pull_routes.hpp"

namespace airgap::registry {

struct RegistryOptions {
  HostRules hosts;
  PullRoutes routes{};
  /// Pulling follows the routes; else, and for what is pushed to, a name is read where it is written.
  bool pull_by_routes = false;
  http::RetryPolicy retry;
  std::stop_token stop;
  KeptUploads* kept_uploads = nullptr;  ///< borrowed; null: nothing is known of earlier runs
};

}  // namespace airgap::registry
