#pragma once

#include <string>
#include <vector>

#include "exporter/plan/other_side.hpp"

namespace airgap::exporter {

/// Reads what each file is: a bundle in any form, a bundle's bundle.json by itself, a receipt; the kind is
/// told from the content. Receipts of one registry and prefix add up; of several, what each of those has
/// counts, so that the delta goes into any of them. Bundles say what was sent everywhere. Throws UsageError
/// for a file that is none of them, and for the bundle at `output` itself, which would end with nothing in
/// it; IntegrityError for a damaged bundle.
OtherSide read_other_side(const std::vector<std::string>& files, const std::string& output);

}  // namespace airgap::exporter
