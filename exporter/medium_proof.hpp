#pragma once

#include <string>

#include "bundle-format/bundle_writer.hpp"
#include "bundle-format/read_back.hpp"
#include "common/cli/context.hpp"
#include "exporter/plan/plan.hpp"

namespace airgap::exporter {

/// Reads a bundle that was just sealed back from its medium, and says "safe to remove" when the medium holds
/// it. Otherwise takes the seal off, so that nobody believes it, and throws StorageError.
void prove_medium(bundle::BundleWriter& sealed, const std::string& path, bundle::MediaCheck depth,
                  const ExportPlan& plan, cli::Context& context);

}  // namespace airgap::exporter
