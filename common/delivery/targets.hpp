#pragma once

#include <functional>
#include <span>

#include "common/image/mapping.hpp"

namespace airgap::delivery {

/// What `find` says is the target of `source` below `where`. Throws UsageError where no registry would take
/// that name.
image::Reference checked_target(const image::Reference& source, const image::RegistryTarget& where,
                                const std::function<image::Reference()>& find);

/// Throws UsageError for two images with one target.
void refuse_collisions(std::span<const image::Naming> names);

}  // namespace airgap::delivery
