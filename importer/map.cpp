#include "importer/map.hpp"

#include <fmt/format.h>

#include <utility>

#include "common/diag/error.hpp"

namespace airgap::importer {
namespace {

image::Reference target_of(const bundle::Image& image, const image::RegistryTarget& where,
                           const std::optional<image::Mapping>& names) {
  try {
    return names ? names->target(image.name, where) : where.place(image.target);
  } catch (const diag::FormatError& error) {
    throw diag::UsageError(
        fmt::format("{} has no place below {}: {}", image.name.str(), where.str(), error.message()),
        "name another target with --map FROM=TO, or a shorter prefix");
  }
}

}  // namespace

std::vector<delivery::Placement> map_images(const bundle::BundleInfo& info, transport::ImageSource& source,
                                            const image::RegistryTarget& where,
                                            const std::optional<image::Mapping>& names) {
  std::vector<image::Naming> namings;
  for (const bundle::Image& image : info.images)
    namings.push_back({image.name, target_of(image, where, names), image.digest.str()});
  const auto collisions = image::find_collisions(namings);
  if (!collisions.empty()) {
    throw diag::UsageError(collisions.front().str(), collisions.front().hint());
  }
  std::vector<delivery::Placement> placements;
  for (std::size_t i = 0; i < info.images.size(); ++i) {
    const bundle::Image& image = info.images[i];
    image::Reference target = std::move(namings[i].target);
    registry::Repository repository{target.registry, target.repository};
    placements.push_back(
        {image.name, image.digest, image.bytes, image.subject, std::move(target), std::move(repository),
         diag::with_context(
             [&] { return "reading " + image.name.str(); },
             [&] {
               return transport::load_graph(source, {image.media_type, image.digest, image.size});
             })});
  }
  return placements;
}

}  // namespace airgap::importer
