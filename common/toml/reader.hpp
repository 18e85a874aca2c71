#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "common/toml/node.hpp"

namespace airgap::toml {

inline constexpr std::size_t k_max_document = std::size_t{1} << 20;  ///< bytes; configuration is small

/// A TOML 1.0 document as a table. `file` is for messages. Throws UsageError "file:line:column: …" for what
/// is not TOML (duplicate keys, control characters and bad UTF-8 included) and for a document that is too
/// large.
Node read(std::string_view text, const std::string& file);

}  // namespace airgap::toml
