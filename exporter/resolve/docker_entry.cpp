#include "exporter/resolve/docker_entry.hpp"

#include <algorithm>

#include "common/image/manifest.hpp"
#include "common/image/media_type.hpp"

namespace airgap::exporter {
namespace {

struct Candidate {
  bundle::DockerImage entry;
  std::optional<image::Platform> platform;
};

std::optional<Candidate> candidate(const transport::ManifestDocument& document, const std::string& name) {
  if (image::manifest_kind(document.descriptor.media_type) != image::ManifestKind::image) return std::nullopt;
  const auto parsed = image::parse_manifest(*document.bytes, {}, document.descriptor.media_type);
  const image::Manifest* manifest = parsed.image();
  if (manifest == nullptr || !manifest->is_runnable()) return std::nullopt;
  const auto& platform = document.descriptor.platform;
  Candidate found{.entry = {.name = name, .config = manifest->config->digest, .layers = {}},
                  .platform = platform};
  for (const image::Descriptor& layer : manifest->layers) {
    // What has no tar in it (an attestation's statement, say) no engine can load.
    if (!image::is_filesystem_layer(layer.media_type)) return std::nullopt;
    found.entry.layers.push_back(layer.digest);
  }
  return found;
}

}  // namespace

std::optional<bundle::DockerImage> docker_entry(const PinnedImage& image) {
  if (!image.name.tag || image.subject) return std::nullopt;
  image::Reference tagged = image.name;
  tagged.digest.reset();
  std::vector<Candidate> candidates;
  for (const auto& document : image.graph.manifests) {
    if (auto found = candidate(document, tagged.str())) candidates.push_back(std::move(*found));
  }
  if (candidates.size() == 1) return candidates.front().entry;
  const image::PlatformFilter host = image::PlatformFilter::host();
  const auto here = std::find_if(candidates.begin(), candidates.end(), [&](const Candidate& found) {
    return found.platform && host.matches(*found.platform);
  });
  if (here == candidates.end()) return std::nullopt;
  return here->entry;
}

}  // namespace airgap::exporter
