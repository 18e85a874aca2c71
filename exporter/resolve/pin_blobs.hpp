#pragma once

#include <vector>

#include "bundle-format/metadata/want_list.hpp"
#include "exporter/resolve/resolve.hpp"

namespace airgap::exporter {

/// Adds what carries single blobs of a repository: an OCI artifact by digest whose layers they are.
/// Registries keep blobs that a manifest names, and everything that carries images carries it. No registry is
/// asked. Throws UnsafeError when one manifest cannot name so many.
void pin_blobs(const image::Reference& repository, const std::vector<bundle::WantedBlob>& blobs,
               PinnedImages& pinned);

}  // namespace airgap::exporter
