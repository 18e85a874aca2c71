#pragma once

#include "common/cli/app.hpp"

namespace airgap::importer {

// One function a file of this folder; main.cpp calls them one by one. commands/README.md says how to add one.
void add_push(cli::App& app);
void add_receipt(cli::App& app);

}  // namespace airgap::importer
