#pragma once

#include "exporter/resolve/resolve.hpp"

namespace airgap::exporter {

/// Adds what carries single blobs to a place: an OCI artifact by digest whose layers they are. Registries
/// keep blobs that a manifest names, and everything that carries images carries it. No registry is asked.
/// Throws UnsafeError when one manifest cannot name so many.
void pin_blobs(const WantedBlobs& wanted, PinnedImages& pinned);

}  // namespace airgap::exporter
