#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace airgap::text {

std::string to_hex(std::span<const std::byte> bytes);  ///< lower-case digits

/// Fills `out` from exactly twice as many lower-case hex digits; false when `digits` are anything else.
bool from_lower_hex(std::string_view digits, std::span<std::byte> out) noexcept;

}  // namespace airgap::text
