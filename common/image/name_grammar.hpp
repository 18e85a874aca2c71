#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/hash/digest.hpp"

namespace airgap::image {

// The grammar of names (distribution's reference package), for the .cpp files of this folder. What is wrong
// comes back as the end of a sentence; an empty optional is valid.

std::optional<std::string> registry_fault(std::string_view registry);
std::optional<std::string> repository_fault(std::string_view path);
std::optional<std::string> tag_fault(std::string_view tag);

/// Throws FormatError "bad <what> '<whole>': <why>" with a hint that shows a good one.
[[noreturn]] void refuse_name(std::string_view what, std::string_view whole, std::string_view why);

/// "path[:tag][@digest]", taken apart and checked.
struct PathTagDigest {
  std::string path;
  std::optional<std::string> tag;
  std::optional<hash::Digest> digest;
};
/// Throws as refuse_name() does.
PathTagDigest split_path(std::string_view text, std::string_view what, std::string_view whole);

}  // namespace airgap::image
