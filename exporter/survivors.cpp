#include "exporter/survivors.hpp"

#include "exporter/resolve/orphans.hpp"

namespace airgap::exporter {
namespace {

const diag::Error* cause_of_failure(const PinnedImage& image, const FetchReport& fetched) {
  for (const auto* blobs : {&image.graph.configs, &image.graph.layers}) {
    for (const image::Descriptor& blob : *blobs) {
      const auto failed = fetched.failed.find(blob.digest);
      if (failed != fetched.failed.end()) return &failed->second;
    }
  }
  return nullptr;
}

}  // namespace

Survivors survivors_of(const PinnedImages& pinned, const FetchReport& fetched) {
  Survivors survivors;
  survivors.pinned.configs = pinned.configs;
  for (const PinnedImage& image : pinned.images) {
    if (const diag::Error* cause = cause_of_failure(image, fetched)) {
      survivors.left_out.emplace_back(image, *cause);
    } else {
      survivors.pinned.images.push_back(image);
    }
  }
  for (const PinnedImage& orphan : drop_orphans({}, survivors.pinned.images)) {
    survivors.left_out.emplace_back(
        orphan, diag::NetworkError("what it accompanies is left out: " + orphan.subject->str()));
  }
  return survivors;
}

}  // namespace airgap::exporter
