#include "exporter/resolve/known_images.hpp"

#include <algorithm>

#include "exporter/resolve/docker_entry.hpp"

namespace airgap::exporter {
namespace {

const bundle::Image* image_of(const bundle::BundleInfo& info, const image::Reference& name) {
  const auto found = std::ranges::lower_bound(info.images, name, {}, &bundle::Image::name);
  return found != info.images.end() && found->name == name ? &*found : nullptr;
}

}  // namespace

// What was begun last is most like what is wanted now.
KnownImages known_images(const bundle::BundlePlace& place) {
  KnownImages known;
  known.find = [&place](const image::Reference& name, const image::Reference*) {
    const bundle::Image* image = place.begun() != nullptr ? image_of(*place.begun(), name) : nullptr;
    return image != nullptr ? image : place.existing_image(name);
  };
  known.manifest = [&place](const hash::Digest& digest) { return place.existing_manifest(digest); };
  return known;
}

PinnedImage recall(const image::Reference& name, const bundle::Image& image,
                   transport::ImageSource& documents) {
  PinnedImage pinned{.name = name,
                     .repository = {name.registry, name.repository},
                     .source_digest = image.source_digest,
                     .graph = transport::load_graph(documents, {image.media_type, image.digest, image.size}),
                     .platforms = image.platforms,
                     .platform_choice = image.platform_choice,
                     .target = {},
                     .subject = image.subject,
                     .docker = {},
                     .notes = {}};
  pinned.docker = docker_entry(pinned);
  return pinned;
}

}  // namespace airgap::exporter
