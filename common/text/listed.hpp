#pragma once

#include <string>
#include <vector>

namespace airgap::text {

/// "a, b, c and 7 more": the first 20, for a message.
std::string listed(const std::vector<std::string>& names);

}  // namespace airgap::text
