#pragma once

#include <chrono>
#include <stop_token>

#include "common/http/retry_policy.hpp"
#include "common/registry/host_config.hpp"
#include "common/registry/kept_uploads.hpp"
#include "common/registry/pull_routes.hpp"

namespace airgap::registry {

/// A registry may lose a session whose chunk broke off (docker-registry does), so a stop waits for the chunk,
/// as long as the two seconds of R132 allow.
inline constexpr std::chrono::milliseconds k_stop_grace{1500};

struct RegistryOptions {
  HostRules hosts;
  PullRoutes routes{};
  /// Pulling follows the routes; else, and for what is pushed to, a name is read where it is written.
  bool pull_by_routes = false;
  http::RetryPolicy retry;
  std::stop_token stop;
  /// Blobs are downloaded to be sent on: a stop leaves them k_stop_grace, for the chunk that waits for them.
  bool sends_on = false;
  KeptUploads* kept_uploads = nullptr;  ///< borrowed; null: nothing is known of earlier runs
};

}  // namespace airgap::registry
