#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "bundle-format/bundle_reader.hpp"

namespace airgap::bundle {

/// Gives the path of a volume, by its number, and may take its time: somebody changes discs. What it gave
/// before may be gone. Throws to give up.
using FindVolume = std::function<std::string(std::size_t number)>;

/// A set of `count` volumes that are not there all at once: read in the order of their numbers, each once,
/// and closed before the next is asked for. The first ones, with all manifests, are asked for at once; after
/// that a volume is looked for when a blob is read that lies behind the one at hand, so those after the last
/// blob that somebody takes are never needed. Blobs that nobody takes are not verified.
std::unique_ptr<BundleStream> open_volumes_in_turn(std::size_t count, FindVolume find);

}  // namespace airgap::bundle
