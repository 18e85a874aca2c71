#pragma once

#include "common/cli/console.hpp"
#include "importer/plan.hpp"

namespace airgap::importer {

/// Shows what a plan will do before anything is written: bytes to send, to mount, there already, tags that
/// move. With `steps` (a dry run) every blob, manifest and tag with its reason, as results.
void print_plan(const ImportPlan& plan, cli::Console& console, bool steps);

}  // namespace airgap::importer
