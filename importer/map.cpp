#include "importer/map.hpp"

#include <utility>

#include "common/delivery/targets.hpp"
#include "common/diag/error.hpp"

namespace airgap::importer {

std::vector<delivery::Placement> map_images(const bundle::BundleInfo& info, transport::ImageSource& source,
                                            const image::RegistryTarget& where,
                                            const std::optional<image::Mapping>& names) {
  std::vector<image::Naming> namings;
  for (const bundle::Image& image : info.images) {
    image::Reference target = delivery::checked_target(image.name, where, [&] {
      return names ? names->target(image.name, where) : where.place(image.target);
    });
    namings.push_back({image.name, std::move(target), image.digest.str()});
  }
  delivery::refuse_collisions(namings);
  std::vector<delivery::Placement> placements;
  for (std::size_t i = 0; i < info.images.size(); ++i) {
    const bundle::Image& image = info.images[i];
    image::Reference target = std::move(namings[i].target);
    registry::Repository repository{target.registry, target.repository};
    placements.push_back(
        {.name = image.name,
         .digest = image.digest,
         .bytes = image.bytes,
         .subject = image.subject,
         .target = std::move(target),
         .repository = std::move(repository),
         .graph = diag::with_context(
             [&] { return "reading " + image.name.str(); },
             [&] {
               return transport::load_graph(source, {image.media_type, image.digest, image.size});
             })});
  }
  return placements;
}

}  // namespace airgap::importer
