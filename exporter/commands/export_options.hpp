#pragma once

#include <string>
#include <vector>

#include "common/image/mapping.hpp"
#include "exporter/source_images.hpp"

namespace airgap::exporter {

/// The options that every command with a selection of images shares.
struct ExportOptions {
  SelectOptions select;
  cli::RegistryAccessOptions access = cli::pulling();
  bool no_referrers = false;
  bool allow_empty = false;
  bool scoped = false;
  bool flat = false;
  std::vector<std::string> maps;
  bool allow_unused_map = false;

  void declare_selection(cli::Command& command);  ///< all but `access`, which has a group of its own
  SourceSettings source(bool keep_going) const;
  /// Throws UsageError.
  image::Mapping names() const;
};

}  // namespace airgap::exporter
