#pragma once

#include <string>

#include "common/cli/registry_access.hpp"
#include "common/image/mapping.hpp"
#include "exporter/select.hpp"

namespace airgap::exporter {

struct ExportSettings {
  SelectOptions select;
  cli::RegistryAccessOptions access;
  image::Mapping names;
  std::string output;
  bool skopeo_tree = false;  ///< not a bundle: the directories that skopeo sync writes
  bool referrers = true;
  bool allow_empty = false;
  bool overwrite = false;
  bool prune = false;
  bool keep_going = false;
  bool dry_run = false;
};

/// select -> resolve -> plan -> fetch -> commit -> report, for `pull`. Returns the exit status; what it
/// throws is reported first.
int run_export(const ExportSettings& settings, cli::Context& context);

}  // namespace airgap::exporter
