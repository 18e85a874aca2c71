#include "exporter/resolve/orphans.hpp"

#include <set>
#include <utility>

namespace airgap::exporter {

std::vector<PinnedImage> drop_orphans(const std::vector<PinnedImage>& beside,
                                      std::vector<PinnedImage>& images) {
  std::set<hash::Digest> carried;
  const auto carry = [&](const PinnedImage& image) {
    carried.insert(image.source_digest);
    for (const auto& manifest : image.graph.manifests) carried.insert(manifest.descriptor.digest);
  };
  for (const PinnedImage& image : beside) carry(image);
  std::vector<PinnedImage> candidates = std::exchange(images, {});
  for (bool more = true; more;) {  // once for each level of signatures of signatures
    more = false;
    std::vector<PinnedImage> rest;
    for (PinnedImage& image : candidates) {
      if (image.subject && !carried.contains(*image.subject)) {
        rest.push_back(std::move(image));
      } else {
        carry(image);
        images.push_back(std::move(image));
        more = true;
      }
    }
    candidates = std::move(rest);
  }
  return candidates;
}

}  // namespace airgap::exporter
