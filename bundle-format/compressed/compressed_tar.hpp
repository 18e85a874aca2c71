#pragma once

#include <memory>
#include <vector>

#include "bundle-format/archive/tar_bytes.hpp"
#include "common/zstd/frame.hpp"

namespace airgap::bundle::compressed {

/// The tar inside a file of zstd frames: by the seek table at its end or, where that is damaged, which is a
/// finding then, by the frames that are found from the front.
std::shared_ptr<const TarBytes> compressed_tar(const std::shared_ptr<const io::File>& file);
/// The tar that these frames at the front of the file hold.
std::shared_ptr<const TarBytes> compressed_tar(const std::shared_ptr<const io::File>& file,
                                               const std::vector<zstd::Frame>& frames);

}  // namespace airgap::bundle::compressed
