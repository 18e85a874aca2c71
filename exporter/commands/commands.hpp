#pragma once

#include "common/cli/app.hpp"

namespace airgap::exporter {

// One function a file of this folder; main.cpp calls them one by one. commands/README.md says how to add one.
void add_mirror(cli::App& app);
void add_plan(cli::App& app);
void add_pull(cli::App& app);

}  // namespace airgap::exporter
