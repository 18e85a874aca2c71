#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include "bundle-format/bundle_writer.hpp"

namespace airgap::bundle {

/// Writes the archive form over several files of at most `volume_size` bytes: NAME.001.tar and so on, where
/// `path` is NAME.tar. Each is NAME.NNN.tar.partial with every member at its final offset until all of them
/// are whole; then they get their names, in order. A rerun with the same plan goes on; with another plan,
/// what is there of its blobs is taken over, volume by volume, which needs room for a volume and a blob more.
/// A finished set is treated as a finished archive is: where it is replaced it stays whole, and gives what it
/// holds, until the other one is whole and takes its names. `stop` ends the taking over.
std::unique_ptr<BundleWriter> open_volume_writer(const std::string& path, std::uint64_t volume_size,
                                                 bool overwrite, std::stop_token stop = {});

}  // namespace airgap::bundle
