#pragma once

#include "common/cli/app.hpp"

namespace airgap::bundle {

// Commands of both programs: who wrote the medium checks it too.
void add_list(cli::App& app);
void add_verify(cli::App& app);

}  // namespace airgap::bundle
