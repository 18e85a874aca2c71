#pragma once

#include <string>

namespace airgap::bundle {

/// What to do about an unfinished bundle: to run the export again, unless one is writing it just now. `lock`
/// is the path of the file that its writer locks.
std::string hint_for_unfinished(const std::string& lock);

}  // namespace airgap::bundle
