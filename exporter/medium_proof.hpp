#pragma once

#include <string>

#include "bundle-format/bundle_writer.hpp"
#include "bundle-format/read_back.hpp"
#include "common/cli/context.hpp"
#include "common/io/medium.hpp"
#include "exporter/plan/plan.hpp"

namespace airgap::exporter {

/// What a bundle proves that was read back from there as it was written: "the medium is safe to remove". Of a
/// disk that is built in nobody removes the medium, and a file system in memory has none.
std::string proven_of(const io::Medium& medium);

/// Reads a bundle that was just sealed back from its medium, and says proven_of() it. When the medium does
/// not hold it, takes the seal off, so that nobody believes it, and throws StorageError.
void prove_medium(bundle::BundleWriter& sealed, const std::string& path, const io::Medium& medium,
                  bundle::MediaCheck depth, const ExportPlan& plan, cli::Context& context);

}  // namespace airgap::exporter
