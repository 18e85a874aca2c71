#pragma once

#include <string>
#include <string_view>

namespace airgap::bundle {

/// What a JSON file that crosses the gap says it is, near its beginning: "airgap-receipt". Safe to print;
/// empty for bundle.json and for what is no JSON object. Only a hint: the file's parser decides.
std::string json_kind(std::string_view bytes);

}  // namespace airgap::bundle
