#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace airgap::text {

std::string to_base64(std::string_view bytes);  ///< RFC 4648 section 4, padded

/// The bytes of padded standard base64; nullopt when `text` is anything else, white space included.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace airgap::text
