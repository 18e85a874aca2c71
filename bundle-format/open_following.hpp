#pragma once

#include <memory>
#include <string>

#include "common/io/file.hpp"

namespace airgap::bundle {

/// Opens a file that the user named, for reading. A link is followed; links inside a bundle are another
/// matter. Throws StorageError.
std::shared_ptr<const io::File> open_following(const std::string& path);

}  // namespace airgap::bundle
