#pragma once

#include <initializer_list>
#include <string_view>

#include "common/json/reader.hpp"

namespace airgap::image {

/// Refuses a member of `object` that is one of `names` in another letter case: some readers take it for that
/// one, so they would see another document than we do (R40). Throws UnsafeError. For the .cpp files of this
/// folder.
void refuse_misspelt(const json::Node& object, std::initializer_list<std::string_view> names);

}  // namespace airgap::image
