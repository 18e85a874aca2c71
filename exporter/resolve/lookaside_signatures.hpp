#pragma once

#include <string>
#include <string_view>

#include "exporter/resolve/resolve.hpp"
#include "exporter/resolve/source_images.hpp"

namespace airgap::exporter {

/// Fetches the signatures that registries.d (`directory`, or the usual one when empty) places beside the
/// images' registries, of every manifest that is carried. Images whose signatures cannot be had fail: with
/// keep_going they are left out and stand in the report.
void add_lookaside_signatures(PinnedImages& pinned, const std::string& directory,
                              const SourceSettings& settings, SourceImages& source, cli::Context& context,
                              cli::ReportedRun& run);

/// Says that they stay behind where registries.d names some; `who` does not carry them: "a bundle", "mirror".
void warn_of_lookaside(const PinnedImages& pinned, const std::string& directory, std::string_view who);

}  // namespace airgap::exporter
