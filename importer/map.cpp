#include "importer/map.hpp"

#include <utility>

#include "common/delivery/targets.hpp"
#include "common/diag/error.hpp"
#include "common/image/companions.hpp"

namespace airgap::importer {
namespace {

transport::ImageGraph graph_of(const bundle::Image& image, transport::ImageSource& source) {
  return diag::with_context(
      [&] { return "reading " + image.name.str(); },
      [&] {
        return transport::load_graph(source, {image.media_type, image.digest, image.size});
      });
}

// A tree of skopeo's and foreign layouts know cosign's tags as images alone; the tag says what it is about.
std::optional<hash::Digest> subject_of(const bundle::Image& image) {
  if (image.subject || !image.name.tag) return image.subject;
  return image::subject_of_tag(*image.name.tag);
}

// As the bundle says, they go along already.
void follow_subjects(const std::vector<bundle::Image>& images,
                     const std::vector<transport::ImageGraph>& graphs, std::vector<image::Naming>& namings) {
  std::vector<image::Traveller> travellers;
  for (std::size_t i = 0; i < images.size(); ++i) {
    image::Traveller& traveller = travellers.emplace_back(
        image::Traveller{{images[i].source_digest}, subject_of(images[i]), namings[i].target.repository});
    for (const auto& manifest : graphs[i].manifests) traveller.holds.push_back(manifest.descriptor.digest);
  }
  image::follow_subjects(travellers);
  for (std::size_t i = 0; i < images.size(); ++i) namings[i].target.repository = travellers[i].place;
}

}  // namespace

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
  std::vector<transport::ImageGraph> graphs;
  for (const bundle::Image& image : info.images) graphs.push_back(graph_of(image, source));
  if (names) follow_subjects(info.images, graphs, namings);
  delivery::refuse_collisions(namings);
  std::vector<delivery::Placement> placements;
  for (std::size_t i = 0; i < info.images.size(); ++i) {
    const bundle::Image& image = info.images[i];
    image::Reference target = std::move(namings[i].target);
    registry::Repository repository{target.registry, target.repository};
    placements.push_back({.name = image.name,
                          .digest = image.digest,
                          .bytes = image.bytes,
                          .subject = image.subject,
                          .target = std::move(target),
                          .repository = std::move(repository),
                          .graph = std::move(graphs[i])});
  }
  return placements;
}

}  // namespace airgap::importer
