#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace airgap::text {

/// What some editors put before a text.
inline constexpr std::string_view k_byte_order_mark = "\xef\xbb\xbf";

/// The offset of the first byte that is no valid UTF-8 (RFC 3629: no overlong forms, no surrogates); nothing
/// when all is well.
std::optional<std::size_t> invalid_utf8_at(std::string_view text) noexcept;

}  // namespace airgap::text
