#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace airgap::text {

/// "a, b, c and 7 more": the first 20, for a message.
std::string listed(const std::vector<std::string>& names);

/// "1-3, 5": numbers in ascending order.
std::string ranges(const std::vector<std::size_t>& numbers);

}  // namespace airgap::text
