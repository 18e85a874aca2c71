#pragma once

#include <optional>
#include <string>

#include "bundle-format/left_files.hpp"
#include "common/cli/console.hpp"
#include "exporter/plan/plan.hpp"
#include "exporter/plan/target.hpp"

namespace airgap::exporter {

/// How many images a plan names: all of them, as what was asked for, with --json in an event "planned"; or on
/// the way to carrying it out, the first ones.
enum class NamedImages { all, first };

/// Shows what a plan will do before the first byte moves: images and what they are called inside, blobs,
/// shared bytes, what is there already, and what the medium has room for; `target` is nothing for a pipe.
void print_plan(const ExportPlan& plan, const std::optional<Target>& target, NamedImages named,
                cli::Console& console);

/// Names unfinished files beside the finished bundle at `output` that a run leaves alone, as it does with
/// that.
void print_left(const bundle::LeftFiles& left, const std::string& output);

}  // namespace airgap::exporter
