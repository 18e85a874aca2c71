#include "exporter/plan/other_side.hpp"

namespace airgap::exporter {

const OtherSide::Held* OtherSide::find(const bundle::Blob& blob) const {
  const auto found = blobs.find(blob.digest);
  return found != blobs.end() && found->second.size == blob.size ? &found->second : nullptr;
}

bool OtherSide::has(const bundle::Image& image) const {
  return images.contains({image.name, image.digest}) || targets.contains({image.target, image.digest});
}

void OtherSide::add(OtherSide other) {
  for (const auto& [digest, held] : other.blobs) {
    Held& here = blobs.try_emplace(digest, held).first->second;
    if (here.repository.empty()) here.repository = held.repository;
  }
  images.merge(other.images);
  targets.merge(other.targets);
  places.merge(other.places);
}

void OtherSide::keep_common(const OtherSide& other) {
  std::erase_if(blobs, [&](const auto& blob) {
    const auto there = other.blobs.find(blob.first);
    return there == other.blobs.end() || there->second.size != blob.second.size;
  });
  std::erase_if(images, [&](const auto& image) { return !other.images.contains(image); });
  std::erase_if(targets, [&](const auto& target) { return !other.targets.contains(target); });
  places.insert(other.places.begin(), other.places.end());
}

}  // namespace airgap::exporter
