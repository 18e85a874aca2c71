#include "exporter/mirror_places.hpp"

#include <fmt/format.h>

#include <utility>

#include "common/delivery/targets.hpp"
#include "common/diag/error.hpp"

namespace airgap::exporter {

std::vector<delivery::Placement> place_images(PinnedImages pinned, const SourceImages& source,
                                              const MirrorTarget& target) {
  std::vector<image::Naming> namings;
  for (const PinnedImage& image : pinned.images) {
    namings.push_back({image.name,
                       target.target_of(image.name, image.accompanies ? &*image.accompanies : nullptr),
                       image.root().digest.str()});
  }
  delivery::refuse_collisions(namings);
  std::vector<delivery::Placement> placements;
  for (std::size_t i = 0; i < pinned.images.size(); ++i) {
    PinnedImage& image = pinned.images[i];
    image::Reference& to = namings[i].target;
    registry::Repository repository{to.registry, to.repository};
    if (repository == image.repository) {
      throw diag::UsageError(fmt::format("{} would be mirrored onto itself", image.name.str()),
                             "name another registry, or a prefix in it: --to REGISTRY/PREFIX");
    }
    const hash::Digest digest = image.root().digest;
    const std::uint64_t bytes = image.graph.bytes();
    placements.push_back({.name = image.name,
                          .digest = digest,
                          .bytes = bytes,
                          .subject = image.subject,
                          .target = std::move(to),
                          .repository = std::move(repository),
                          .graph = std::move(image.graph),
                          .from = image.repository,
                          .referrer = std::move(image.referrer),
                          .notes = source.notes_of(image.name)});
  }
  return placements;
}

}  // namespace airgap::exporter
