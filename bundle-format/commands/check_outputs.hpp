#pragma once

#include <string>
#include <vector>

#include "bundle-format/files_beside.hpp"
#include "common/cli/context.hpp"

namespace airgap::bundle {

/// refuse_overwriting() for the report of a run and the `others` that it writes. To be called before anything
/// else can fail: a report goes out then too, but not to a place that is refused.
void check_outputs(cli::Context& context, const std::vector<std::string>& bundles,
                   std::vector<FileBeside> others = {});

/// The same for a command that writes to `output`, "-" and empty being none, and only reads what `since`
/// names.
void check_export_outputs(cli::Context& context, const std::string& output,
                          const std::vector<std::string>& since, std::vector<FileBeside> others = {});

}  // namespace airgap::bundle
