#pragma once

#include <string_view>

namespace airgap::bundle {

/// What is read, for messages.
enum class From { file, pipe };

/// Refuses what does not begin as a bundle. Throws UsageError that says what it seems to be, with a hint at
/// what takes it.
[[noreturn]] void refuse_as_no_bundle(std::string_view front, From from = From::file);

}  // namespace airgap::bundle
