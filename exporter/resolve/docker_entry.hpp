#pragma once

#include <optional>

#include "bundle-format/metadata/contents.hpp"
#include "exporter/resolve/resolve.hpp"

namespace airgap::exporter {

/// The image as manifest.json lists it (SPEC.md, "Files"): its runnable manifest for this machine's platform,
/// or the only one it has. Nothing for an artifact, an untagged image, or one with several platforms of which
/// none is this one.
std::optional<bundle::DockerImage> docker_entry(const PinnedImage& image);

}  // namespace airgap::exporter
