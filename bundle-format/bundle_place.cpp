#include "bundle-format/bundle_place.hpp"

#include <algorithm>

namespace airgap::bundle {

const Image* BundlePlace::existing_image(const image::Reference& name) const {
  if (!existing()) return nullptr;
  const auto& images = existing()->images;  // sorted by name
  const auto found = std::lower_bound(
      images.begin(), images.end(), name,
      [](const Image& image, const image::Reference& wanted) { return image.name < wanted; });
  return found != images.end() && found->name == name ? &*found : nullptr;
}

std::uint64_t BundlePlace::doubled_bytes(const Contents&) const {
  return 0;
}

std::uint64_t BundlePlace::occupied_bytes(const Contents&, std::uint64_t) const {
  return 0;
}

}  // namespace airgap::bundle
