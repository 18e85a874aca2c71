#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/cli/naming.hpp"
#include "exporter/resolve/source_images.hpp"

namespace airgap::exporter {

/// The options that every command with a selection of images shares; `pull` and `plan` those of a bundle,
/// too.
struct ExportOptions {
  SelectOptions select;
  cli::RegistryAccessOptions access = cli::pulling();
  bool no_referrers = false;
  bool allow_empty = false;
  cli::NamingOptions names;
  bool allow_unused_map = false;
  std::vector<std::string> since;
  std::string volume_size_text;

  void declare_selection(cli::Command& command);  ///< all but `access`, which has a group of its own
  void declare_bundle(cli::Command& command);
  std::optional<std::uint64_t> volume_size() const;  ///< in bytes. Throws UsageError
  SourceSettings source(bool keep_going) const;
};

}  // namespace airgap::exporter
