#pragma once

#include <optional>

#include "common/cli/console.hpp"
#include "exporter/plan/plan.hpp"
#include "exporter/plan/target.hpp"

namespace airgap::exporter {

/// A line for each image, with --json an event "planned" that has them all.
void print_planned_images(const ExportPlan& plan, cli::Console& console);

/// Shows what a plan will do before the first byte moves: images, blobs, shared bytes, what is there already,
/// and what the medium has room for; `target` is nothing for a pipe.
void print_plan(const ExportPlan& plan, const std::optional<Target>& target, cli::Console& console);

}  // namespace airgap::exporter
