#include "exporter/replaced_folders.hpp"

namespace airgap::exporter {

std::vector<ReplacedFolder> replaced_folders(const std::vector<bundle::Image>& images,
                                             const bundle::BundlePlace& tree) {
  std::vector<ReplacedFolder> replaced;
  for (const bundle::Image& image : images) {
    const bundle::Image* earlier = tree.existing_image(image.name);
    if (earlier != nullptr && earlier->digest != image.digest) replaced.push_back({&image, earlier->digest});
  }
  return replaced;
}

}  // namespace airgap::exporter
