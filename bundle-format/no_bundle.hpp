#pragma once

#include <string_view>

namespace airgap::bundle {

/// Refuses a file that does not begin as a bundle. Throws UsageError whose hint says what the file seems to
/// be and which command takes it.
[[noreturn]] void refuse_as_no_bundle(std::string_view front);

}  // namespace airgap::bundle
