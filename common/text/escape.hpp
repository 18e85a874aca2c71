#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace airgap::text {

/// Foreign text made safe to print: control characters, escape sequences, bidirectional overrides and invalid
/// UTF-8 become \xNN, and what is longer than `limit` bytes is cut with "...". Registries and bundles can
/// send terminal escapes.
std::string escape(std::string_view foreign, std::size_t limit = 200);

}  // namespace airgap::text
