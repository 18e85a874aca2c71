#pragma once

#include <vector>

#include "common/io/file.hpp"
#include "common/zstd/frame.hpp"

namespace airgap::zstd {

/// The whole frames at the front of a file that has no seek table, up to the first that is none or is cut. It
/// looks at the lengths of their blocks and decodes nothing.
std::vector<Frame> scan_frames(const io::File& file);

}  // namespace airgap::zstd
