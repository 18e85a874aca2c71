#pragma once

#include "common/image/platform.hpp"
#include "common/json/reader.hpp"

namespace airgap::image {

/// The members of `object`, a descriptor's platform or an image's config, that name a platform; one that is
/// absent is an empty field. Throws FormatError. For the .cpp files of this folder.
Platform platform_members(const json::Node& object);

}  // namespace airgap::image
