#pragma once

#include <string>
#include <vector>

#include "common/diag/error.hpp"

namespace airgap::diag {

/// The same failure, as damage that says which images it touches.
IntegrityError touching(const Error& error, const std::vector<std::string>& images);
/// The same of any kind, which stays what it is.
Error touching_as_it_is(const Error& error, const std::vector<std::string>& images);

}  // namespace airgap::diag
