#include "common/delivery/targets.hpp"

#include <fmt/format.h>

#include "common/diag/error.hpp"

namespace airgap::delivery {

image::Reference checked_target(const image::Reference& source, const image::RegistryTarget& where,
                                const std::function<image::Reference()>& find) {
  try {
    return find();
  } catch (const diag::FormatError& error) {
    throw diag::UsageError(
        fmt::format("{} has no place below {}: {}", source.str(), where.str(), error.message()),
        "name another target with --map FROM=TO, or a shorter prefix");
  }
}

void refuse_collisions(std::span<const image::Naming> names) {
  const auto collisions = image::find_collisions(names);
  if (!collisions.empty()) throw diag::UsageError(collisions.front().str(), collisions.front().hint());
}

}  // namespace airgap::delivery
