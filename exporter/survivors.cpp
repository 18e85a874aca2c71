#include "exporter/survivors.hpp"

#include "exporter/resolve/orphans.hpp"
#include "exporter/resolve/pin_blobs.hpp"

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

void keep_what_arrived(const WantedBlobs& wanted, const FetchReport& fetched, Survivors& survivors) {
  WantedBlobs arrived{wanted.place, {}};
  for (const SoughtBlob& sought : wanted.blobs) {
    const auto failed = fetched.failed.find(sought.blob.digest);
    if (failed == fetched.failed.end()) {
      arrived.blobs.push_back(sought);
    } else {
      survivors.left_out.emplace_back(sought.image, failed->second);
    }
  }
  if (!arrived.blobs.empty()) pin_blobs(arrived, survivors.pinned);
}

}  // namespace

Survivors survivors_of(const PinnedImages& pinned, const FetchReport& fetched) {
  Survivors survivors;
  survivors.pinned.configs = pinned.configs;
  for (const PinnedImage& image : pinned.images) {
    const diag::Error* cause = cause_of_failure(image, fetched);
    if (cause == nullptr) {
      survivors.pinned.images.push_back(image);
    } else if (image.wanted) {
      keep_what_arrived(*image.wanted, fetched, survivors);
    } else {
      survivors.left_out.emplace_back(image.name, *cause);
    }
  }
  for (const PinnedImage& orphan : drop_orphans({}, survivors.pinned.images)) {
    survivors.left_out.emplace_back(
        orphan.name, diag::NetworkError("what it accompanies is left out: " + orphan.subject->str()));
  }
  return survivors;
}

}  // namespace airgap::exporter
