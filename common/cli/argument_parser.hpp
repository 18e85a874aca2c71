#pragma once

#include <string>
#include <vector>

#include "common/cli/declaration.hpp"

namespace airgap::cli {

enum class Wanted { run, help };

/// Fills what the declaration points to from a command's arguments, in GNU form: options anywhere, "--" ends
/// them, "-" is an argument. Throws UsageError with the nearest known name for a mistyped one.
Wanted parse_arguments(const Declaration& declaration, const std::vector<std::string>& arguments);

/// The whole of `text` as a number; false when it is none or outside the range.
bool parse_number(const std::string& text, NumberRange range, std::size_t& value);

}  // namespace airgap::cli
