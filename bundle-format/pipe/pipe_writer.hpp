#pragma once

#include <memory>
#include <stop_token>

#include "bundle-format/bundle_writer.hpp"
#include "common/io/file.hpp"

namespace airgap::bundle {

/// Writes the bytes of the archive form to `pipe`, in order (OrderedArchive). Nothing that was written can be
/// taken back. The reader of the pipe closing it is a StorageError.
std::unique_ptr<BundleWriter> open_pipe_writer(io::File pipe, std::stop_token stop = {});

}  // namespace airgap::bundle
