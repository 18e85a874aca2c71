#include "common/image/manifest.hpp"

#include <algorithm>

#include "common/image/media_type.hpp"

namespace airgap::image {

std::vector<Descriptor> Manifest::blobs() const {
  std::vector<Descriptor> all;
  all.reserve(layers.size() + 1);
  if (config) all.push_back(*config);
  all.insert(all.end(), layers.begin(), layers.end());
  return all;
}

bool Manifest::is_runnable() const {
  return config && is_image_config(config->media_type) &&
         std::all_of(layers.begin(), layers.end(),
                     [](const Descriptor& layer) { return is_filesystem_layer(layer.media_type); });
}

}  // namespace airgap::image
