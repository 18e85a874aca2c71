#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/cli/registry_access.hpp"
#include "common/image/mapping.hpp"

namespace airgap::importer {

struct ImportSettings {
  std::vector<std::string> bundles;  ///< a directory, an archive, volumes and folders that hold them, or "-"
  std::string target;                ///< REGISTRY[/PREFIX]
  cli::RegistryAccessOptions access;
  std::optional<image::Mapping> names;  ///< none: as the bundle says
  bool allow_unused_map = false;        ///< its rules may be for images that are not there
  std::string registries_d;             ///< where lookaside signatures go; empty: the usual directory
  bool remove_signatures = false;       ///< those stay behind
  bool keep_going = false;
  bool dry_run = false;
  std::string receipt;    ///< --receipt: a file for what the registry holds afterwards; empty for none
  std::string want_list;  ///< --want-list: a file for what it lacks of what a delta requires
};

/// open -> map -> survey -> plan -> push -> confirm -> report, for `push`. Returns the exit status; what it
/// throws is reported first.
int run_import(const ImportSettings& settings, cli::Context& context);

}  // namespace airgap::importer
