#pragma once

#include <memory>
#include <string>

#include "bundle-format/bundle_writer.hpp"

namespace airgap::bundle {

/// Writes the directory form, and updates it. Blobs come in as .partial/<alg>-<hex>, which a rerun continues,
/// and are published under their final names in batches, each synced before it is renamed: what has a final
/// name is whole. `existing()` is what the bundle held when it was last finished. New contents first take the
/// seal, SHA256SUMS, away; commit() removes blobs that the contents do not list and seals again. A bundle
/// that holds the contents already keeps all of its bytes. A sequence number that is not above that of the
/// bundle being replaced is raised by one more.
///
/// Creates the directory, with its parents; one that nothing was begun in goes away again with the writer.
std::unique_ptr<BundleWriter> open_directory_writer(const std::string& path);

}  // namespace airgap::bundle
