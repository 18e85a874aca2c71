#pragma once

#include <cstddef>

namespace airgap::registry {

// The most that a registry may make us read, in bytes and counts.
inline constexpr std::size_t k_max_manifest = std::size_t{4}
                                              << 20;  // distribution and containers/image agree
inline constexpr std::size_t k_max_tag_page = std::size_t{16} << 20;
inline constexpr std::size_t k_max_tag_pages = 10'000;
inline constexpr std::size_t k_max_tags = 1'000'000;
inline constexpr std::size_t k_max_token_reply = std::size_t{1} << 20;
inline constexpr std::size_t k_max_error_body = std::size_t{64} << 10;

}  // namespace airgap::registry
