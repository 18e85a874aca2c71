#pragma once

#include "common/io/file.hpp"

namespace airgap::bundle {

/// Whether compression was put around the file, so that it can only be read in order: it begins as gzip does,
/// or as zstd does and is no compressed archive of ours, not even a cut one.
bool is_packed(const io::File& file);

}  // namespace airgap::bundle
