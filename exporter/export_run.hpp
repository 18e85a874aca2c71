#pragma once

#include <string>
#include <vector>

#include "common/image/mapping.hpp"
#include "exporter/source_images.hpp"

namespace airgap::exporter {

struct ExportSettings {
  SourceSettings source;
  image::Mapping names;
  std::string output;
  std::vector<std::string> since{};  ///< --since: what says what the other side has
  bool skopeo_tree = false;          ///< not a bundle: the directories that skopeo sync writes
  bool overwrite = false;
  bool prune = false;
  bool dry_run = false;
};

/// select -> expand -> resolve -> plan -> fetch -> commit -> report, for `pull`. Returns the exit status;
/// what it throws is reported first.
int run_export(const ExportSettings& settings, cli::Context& context);

}  // namespace airgap::exporter
