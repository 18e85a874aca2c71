#pragma once

#include <string>

#include "common/image/mapping.hpp"
#include "exporter/resolve/source_images.hpp"

namespace airgap::exporter {

struct MirrorSettings {
  SourceSettings source;
  image::Mapping names;
  std::string to;         ///< REGISTRY[/PREFIX]
  bool prune = false;     ///< delete the target's tags that the source selection no longer has
  bool overwrite = true;  ///< tags of the target that stand for something else are moved
  bool dry_run = false;
};

/// select -> expand -> resolve -> map -> plan -> copy -> confirm -> prune -> report, for `mirror`. Returns
/// the exit status; what it throws is reported first.
int run_mirror(const MirrorSettings& settings, cli::Context& context);

}  // namespace airgap::exporter
