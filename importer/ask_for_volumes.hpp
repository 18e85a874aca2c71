#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bundle-format/bundle_reader.hpp"
#include "common/cli/context.hpp"

namespace airgap::importer {

/// bundle::open_bundle(). While volumes are missing and standard input is a terminal, it asks for them there:
/// a path that is looked at too, or ENTER to look again at those that were named.
std::unique_ptr<bundle::BundleReader> open_volumes_asking(std::vector<std::string> paths,
                                                          cli::Context& context);

}  // namespace airgap::importer
