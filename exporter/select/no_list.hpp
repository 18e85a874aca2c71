#pragma once

#include <string>

namespace airgap::exporter {

/// Refuses a bundle, another archive or a receipt where a list of images is expected. `path` is as given;
/// what cannot be looked at, or comes once, is for the reader. Throws UsageError whose hint says what takes
/// it.
void refuse_what_is_no_list(const std::string& path);

}  // namespace airgap::exporter
