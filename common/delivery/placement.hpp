#pragma once

#include <cstdint>
#include <optional>

#include "common/hash/digest.hpp"
#include "common/image/reference.hpp"
#include "common/registry/repository.hpp"
#include "common/transport/image_graph.hpp"

namespace airgap::delivery {

/// An image and where in a registry it goes.
struct Placement {
  image::Reference name;                ///< full source name
  hash::Digest digest;                  ///< of the manifest or index that the target stands for afterwards
  std::uint64_t bytes = 0;              ///< of all manifests and blobs that it names
  std::optional<hash::Digest> subject;  ///< the image that this one accompanies
  image::Reference target;              ///< with a tag, or by digest alone
  registry::Repository repository;      ///< of the target
  transport::ImageGraph graph;
};

}  // namespace airgap::delivery
