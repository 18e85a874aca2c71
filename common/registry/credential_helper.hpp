#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>

#include "common/registry/credentials.hpp"

namespace airgap::registry {

inline constexpr std::chrono::seconds k_helper_limit{10};

/// Runs `docker-credential-<name> get` from PATH without a shell and asks it about `server`. Nothing when it
/// knows none. Throws CredentialsError, which names the helper, when it is missing, fails, takes longer than
/// `limit` or answers with something else; its output is never shown unless it says that it failed (R152).
std::optional<Credential> ask_helper(const std::string& name, const std::string& server,
                                     const std::stop_token& stop,
                                     std::chrono::milliseconds limit = k_helper_limit);

}  // namespace airgap::registry
