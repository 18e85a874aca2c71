#pragma once

#include "common/cli/console.hpp"
#include "exporter/plan.hpp"

namespace airgap::exporter {

/// Shows what a plan will do before the first byte moves: images, blobs, shared bytes, what is there already.
void print_plan(const ExportPlan& plan, cli::Console& console);

}  // namespace airgap::exporter
