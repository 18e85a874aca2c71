#pragma once

#include <memory>
#include <stop_token>

#include "bundle-format/bundle_writer.hpp"

namespace airgap::bundle {

/// Writes the archive form: as NAME.tar.partial with every member at its final offset, renamed when it is
/// whole. The head is there first; a blob's header follows when its bytes are on stable storage, synced in
/// batches, and until then that block says how far the blob came. A rerun with the same plan goes on from
/// there; with another plan the blobs that both hold are moved within the file. A finished archive is never
/// changed: the same contents are left alone, others are a UsageError in begin() unless `overwrite`, which
/// replaces it in the end. `path` is a regular file, or absent. `stop` is asked for while blobs move.
std::unique_ptr<BundleWriter> open_archive_writer(const std::string& path, bool overwrite,
                                                  std::stop_token stop = {});

}  // namespace airgap::bundle
