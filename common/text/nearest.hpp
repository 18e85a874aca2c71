#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace airgap::text {

/// The known word that `typed` most likely stands for; nothing when none is near enough.
std::optional<std::string> nearest(std::string_view typed, const std::vector<std::string>& known);

}  // namespace airgap::text
