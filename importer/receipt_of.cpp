#include "importer/receipt_of.hpp"

#include <map>
#include <utility>

namespace airgap::importer {

bundle::Receipt receipt_of(const delivery::Plan& plan, const std::vector<bool>& in_place,
                           const image::RegistryTarget& registry, const AbsentBlobs& absent) {
  std::map<image::Reference, bundle::ReceivedImage> images;
  std::map<hash::Digest, bundle::ReceivedBlob> blobs;
  for (std::size_t i = 0; i < plan.placements.size(); ++i) {
    if (!in_place[i]) continue;
    const delivery::Placement& placement = plan.placements[i];
    images.try_emplace(
        placement.target,
        bundle::ReceivedImage{
            .name = placement.name, .target = placement.target, .digest = placement.digest, .before = {}});
    for (const auto* list : {&placement.graph.configs, &placement.graph.layers}) {
      for (const image::Descriptor& blob : *list) {
        if (absent.contains({placement.repository, blob.digest})) continue;
        const bundle::ReceivedBlob held{blob.digest, blob.size, placement.repository.path};
        const auto [place, is_new] = blobs.try_emplace(blob.digest, held);
        // The first by name, so that equal contents give equal receipts.
        if (!is_new && held.repository < place->second.repository) place->second = held;
      }
    }
  }
  for (const delivery::TagStep& tag : plan.tags) {
    const auto image = images.find(tag.target);
    if (image != images.end()) image->second.before = tag.before;
  }
  bundle::Receipt receipt;
  receipt.registry = registry;
  for (auto& [target, image] : images) receipt.images.push_back(std::move(image));
  for (auto& [digest, blob] : blobs) receipt.blobs.push_back(std::move(blob));
  return receipt;
}

}  // namespace airgap::importer
