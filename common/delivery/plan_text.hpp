#pragma once

#include "common/cli/console.hpp"
#include "common/delivery/plan.hpp"

namespace airgap::delivery {

/// Shows what a plan will do before anything is written: bytes to send, to mount, there already, tags that
/// move. With `steps` (a dry run) every image, blob, manifest and tag with its reason, as results.
void print_plan(const Plan& plan, cli::Console& console, bool steps);

}  // namespace airgap::delivery
