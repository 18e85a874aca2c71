#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/delivery/placement.hpp"
#include "common/hash/hasher.hpp"
#include "common/image/media_type.hpp"

namespace airgap::importer::testing {

inline const image::RegistryTarget k_where{"r.example", "in"};

/// Of content that names itself.
inline image::Descriptor blob(const std::string& content) {
  return {"application/octet-stream", hash::sha256_of(content), content.size()};
}

/// src.example/REPOSITORY:1 on its way to k_where, with a config and these layers.
inline delivery::Placement placement(const std::string& repository, const std::vector<std::string>& layers) {
  const image::Reference target = k_where.place(repository + ":1");
  transport::ImageGraph graph;
  graph.configs.push_back(blob("config of " + repository));
  for (const std::string& layer : layers) graph.layers.push_back(blob(layer));
  return {.name = image::Reference::parse("src.example/" + repository + ":1"),
          .digest = hash::sha256_of("manifest of " + repository),
          .bytes = 0,
          .subject = {},
          .target = target,
          .repository = {target.registry, target.repository},
          .graph = std::move(graph)};
}

}  // namespace airgap::importer::testing
