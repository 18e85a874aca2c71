#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/hash/hasher.hpp"
#include "common/image/media_type.hpp"
#include "exporter/resolve/resolve.hpp"

namespace airgap::exporter::testing {

/// Of content that names itself.
inline image::Descriptor blob(const std::string& content,
                              std::string_view type = "application/octet-stream") {
  return {std::string(type), hash::sha256_of(content), content.size()};
}

/// An image whose manifest stands for its name, with these layers.
inline PinnedImage image_of(const std::string& name, const std::vector<std::string>& layers) {
  const auto bytes = std::make_shared<const std::string>("manifest of " + name);
  transport::ImageGraph graph;
  graph.configs.push_back(blob("config of " + name, image::k_oci_config));
  for (const std::string& layer : layers) graph.layers.push_back(blob(layer));
  graph.manifests.push_back({blob(*bytes, image::k_oci_manifest), bytes});
  image::Reference reference = image::Reference::parse(name);
  registry::Repository repository{reference.registry, reference.repository};
  return {.name = std::move(reference),
          .repository = std::move(repository),
          .source_digest = graph.root().descriptor.digest,
          .graph = graph,
          .platforms = {},
          .platform_choice = "all",
          .target = {},
          .subject = {},
          .docker = {},
          .notes = {}};
}

inline PinnedImages pinned(std::vector<PinnedImage> images) {
  return {.images = std::move(images), .failed = {}, .configs = {}};
}

}  // namespace airgap::exporter::testing
