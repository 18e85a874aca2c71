#pragma once

#include "common/diag/error.hpp"

namespace airgap::diag {

/// The exit status of an error kind (README.md, "Results for machines"). `interrupted` is 130, as for SIGINT;
/// the caller that knows the signal uses 128 + signal instead.
int exit_code(ErrorKind kind) noexcept;

/// The kind as a word for reports: "network", "integrity", ...
std::string_view kind_name(ErrorKind kind) noexcept;

}  // namespace airgap::diag
