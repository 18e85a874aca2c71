#pragma once

#include <string>

#include "exporter/resolve.hpp"
#include "exporter/source_images.hpp"

namespace airgap::exporter {

/// Fetches the signatures that registries.d (`directory`, or the usual one when empty) places beside the
/// images' registries, of every manifest that is carried. Images whose signatures cannot be had fail: with
/// keep_going they are left out and stand in the report.
void add_lookaside_signatures(PinnedImages& pinned, const std::string& directory,
                              const SourceSettings& settings, SourceImages& source, cli::Context& context,
                              cli::ReportedRun& run);

/// A bundle has no place for them: says so where registries.d names some.
void warn_of_lookaside(const PinnedImages& pinned, const std::string& directory);

}  // namespace airgap::exporter
