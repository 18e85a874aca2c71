#pragma once

#include <string>
#include <vector>

#include "common/cli/registry_access.hpp"
#include "common/image/mapping.hpp"
#include "exporter/select.hpp"

namespace airgap::exporter {

/// The options that every command with a selection of images shares.
struct ExportOptions {
  SelectOptions select;
  cli::RegistryAccessOptions access;
  bool no_referrers = false;
  bool allow_empty = false;
  bool scoped = false;
  bool flat = false;
  std::vector<std::string> maps;

  void declare_selection(cli::Command& command);  ///< all but `access`, which has a group of its own
  /// Throws UsageError.
  image::Mapping names() const;
};

}  // namespace airgap::exporter
