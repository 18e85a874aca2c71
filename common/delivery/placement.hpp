#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

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
  /// Empty when the registry is known to have all of the image under its target already: then there is
  /// nothing to do for it but to keep the list of referrers that it stands in.
  transport::ImageGraph graph;
  std::optional<registry::Repository> from{};  ///< that has its blobs, when they come from a registry
  std::optional<image::Descriptor>
      referrer{};                    ///< as its source's list of referrers shows it, without a graph
  std::vector<std::string> notes{};  ///< for the report

  bool in_place() const { return graph.manifests.empty(); }
};

}  // namespace airgap::delivery
