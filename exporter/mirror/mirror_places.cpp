#include "exporter/mirror/mirror_places.hpp"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "common/delivery/targets.hpp"
#include "common/diag/error.hpp"

namespace airgap::exporter {

namespace {

// A signature's tag may be selected by itself too, with all tags of a repository: it goes with its image.
void leave_out_repeats(std::vector<PinnedImage>& images, std::vector<image::Naming>& namings) {
  std::set<image::Reference> companions;
  for (const PinnedImage& image : images) {
    if (image.accompanies) companions.insert(image.name);
  }
  std::set<std::pair<image::Reference, image::Reference>> placed;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < images.size(); ++i) {
    if (!images[i].accompanies && companions.contains(images[i].name)) continue;
    if (!placed.emplace(namings[i].source, namings[i].target).second) continue;
    if (kept != i) {
      images[kept] = std::move(images[i]);
      namings[kept] = std::move(namings[i]);
    }
    ++kept;
  }
  images.erase(images.begin() + static_cast<std::ptrdiff_t>(kept), images.end());
  namings.erase(namings.begin() + static_cast<std::ptrdiff_t>(kept), namings.end());
}

}  // namespace

std::vector<delivery::Placement> place_images(PinnedImages pinned, const SourceImages& source,
                                              const MirrorTarget& target) {
  std::vector<image::Naming> namings;
  for (const PinnedImage& image : pinned.images) {
    namings.push_back({image.name, target.target_of(image), image.root().digest.str()});
  }
  leave_out_repeats(pinned.images, namings);
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
