#pragma once

#include <memory>
#include <stop_token>

#include "bundle-format/bundle_writer.hpp"
#include "common/io/file.hpp"

namespace airgap::bundle {

/// Writes the bytes of the archive form to `pipe`, in order. put_blob() calls that are not next in the
/// contents fetch a few MiB into memory and wait for their turn, so calls must be started in that order.
/// Nothing that was written can be taken back: the first failure ends the output, and every call in progress
/// fails with it. Blobs of a few MiB are whole in memory, and verified, before they are written. The reader
/// of the pipe closing it is a StorageError.
std::unique_ptr<BundleWriter> open_pipe_writer(io::File pipe, std::stop_token stop = {});

}  // namespace airgap::bundle
