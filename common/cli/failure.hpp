#pragma once

#include <string>

#include "common/diag/error.hpp"

namespace airgap::cli {

/// The exception being handled as an Error: of memory, StorageError; of anything that is not ours,
/// InternalError. Call it in a catch block.
diag::Error current_failure();

/// "airgap-export: error: what\n  while a\n  hint: do b\n".
std::string failure_text(const std::string& program, const diag::Error& error);

}  // namespace airgap::cli
