#pragma once

#include "common/cli/context.hpp"
#include "exporter/export_settings.hpp"

namespace airgap::exporter {

/// select -> expand -> resolve -> plan -> fetch -> commit -> report, for `pull`, as far as the plan for
/// `plan`. Returns the exit status; what it throws is reported first.
int run_export(const ExportSettings& settings, cli::Context& context);

}  // namespace airgap::exporter
