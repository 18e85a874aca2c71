#pragma once

#include <optional>
#include <string>

#include "bundle-format/metadata/bundle_json.hpp"
#include "bundle-format/metadata/want_list.hpp"
#include "common/cli/console.hpp"
#include "common/delivery/plan.hpp"
#include "common/delivery/required_blobs.hpp"
#include "common/image/mapping.hpp"
#include "common/image/reference.hpp"

namespace airgap::importer {

/// What a delta leaves to the registry at `where`, and under which names that may be there: `names` as for
/// map_images().
delivery::RequiredBlobs required_of(const bundle::BundleInfo& info, const image::RegistryTarget& where,
                                    const std::optional<image::Mapping>& names);

/// What the plan misses, each blob under one image that needs it. Who and when is the caller's to fill in.
bundle::WantList want_list_of(const delivery::Plan& plan, const image::RegistryTarget& where);

/// Shows what is missing and the images that need it, a line and an event for each blob.
void print_missing(const delivery::Plan& plan, cli::Console& console);

/// Throws IntegrityError that sums it up; `where` was looked at. `written` is the want-list's file; empty
/// where none was asked for.
[[noreturn]] void refuse_missing(const delivery::Plan& plan, const image::RegistryTarget& where,
                                 const std::string& written);

}  // namespace airgap::importer
