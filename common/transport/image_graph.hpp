#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/image/descriptor.hpp"
#include "common/image/platform.hpp"
#include "common/transport/image_source.hpp"

namespace airgap::transport {

/// A manifest or index with its exact bytes. The bytes are shared, never changed.
struct ManifestDocument {
  image::Descriptor descriptor;
  std::shared_ptr<const std::string> bytes;
};

/// All that one image names: every manifest and index, children before the index that lists them and the root
/// last, and every blob once, configs marked. Bounded (R46, R47).
struct ImageGraph {
  std::vector<ManifestDocument> manifests;
  std::vector<image::Descriptor> configs;  ///< each once; runnable image or not
  std::vector<image::Descriptor> layers;   ///< each once; not repeated when also a config
  std::vector<image::Platform>
      platforms;  ///< of the runnable images, as their index says; empty when it has none

  const ManifestDocument& root() const { return manifests.back(); }
  std::uint64_t bytes() const;  ///< of manifests, configs and layers together
};

/// Reads all that `root` names from `source`, depth first. Throws UnsafeError above the limits (nesting 8,
/// 100,000 descriptors) and for one digest with two sizes (R46, R47, R52); what `source` throws.
ImageGraph load_graph(ImageSource& source, const image::Descriptor& root);

}  // namespace airgap::transport
