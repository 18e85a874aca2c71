#include "exporter/resolve/pin_blobs.hpp"

#include <fmt/format.h>

#include <map>
#include <string_view>
#include <utility>

#include "common/hash/hasher.hpp"
#include "common/image/manifest.hpp"
#include "common/image/media_type.hpp"
#include "common/json/writer.hpp"

namespace airgap::exporter {
namespace {

constexpr std::string_view k_artifact_type = "application/vnd.airgap.blobs.v1";
constexpr std::string_view k_blob_type = "application/octet-stream";  // a registry may check foreign layers
constexpr std::string_view k_place_annotation = "vnd.airgap.place";

void write_descriptor(json::Writer& writer, const image::Descriptor& descriptor) {
  writer.begin_object().member("mediaType", descriptor.media_type);
  writer.member("digest", descriptor.digest.str()).member("size", descriptor.size).end_object();
}

// Called by what is in it, and by where it goes: two places may lack the same.
std::string manifest_of(const image::Descriptor& config, const std::vector<image::Descriptor>& layers,
                        const std::string& target) {
  json::Writer writer(json::Writer::Style::compact);
  writer.begin_object().member("schemaVersion", 2).member("mediaType", image::k_oci_manifest);
  writer.member("artifactType", k_artifact_type).key("config");
  write_descriptor(writer, config);
  writer.key("layers").begin_array();
  if (layers.empty()) write_descriptor(writer, config);
  for (const image::Descriptor& layer : layers)
    write_descriptor(writer, {std::string(k_blob_type), layer.digest, layer.size});
  writer.end_array().key("annotations").begin_object().member(k_place_annotation, target).end_object();
  return writer.end_object().str();
}

std::vector<image::Descriptor> layers_of(const WantedBlobs& wanted, const hash::Digest& config) {
  std::map<hash::Digest, image::Descriptor> layers;
  for (const SoughtBlob& sought : wanted.blobs) {
    const bundle::WantedBlob& blob = sought.blob;
    if (blob.digest == config) continue;
    const std::string type = blob.media_type.empty() ? std::string(k_blob_type) : blob.media_type;
    layers.try_emplace(blob.digest, image::Descriptor{type, blob.digest, blob.size, blob.urls});
  }
  std::vector<image::Descriptor> list;
  for (auto& [digest, layer] : layers) list.push_back(std::move(layer));
  return list;
}

}  // namespace

void pin_blobs(const WantedBlobs& wanted, PinnedImages& pinned) {
  const image::Reference& repository = wanted.place.repository;
  const image::Descriptor config{std::string(image::k_oci_empty), hash::sha256_of(image::k_oci_empty_bytes),
                                 image::k_oci_empty_bytes.size()};
  transport::ImageGraph graph;
  graph.configs.push_back(config);
  graph.layers = layers_of(wanted, config.digest);
  const auto bytes =
      std::make_shared<const std::string>(manifest_of(config, graph.layers, wanted.place.target));
  if (bytes->size() > image::k_max_manifest) {
    throw diag::UnsafeError(fmt::format("{} blobs of {} are wanted, more than one manifest can name",
                                        wanted.blobs.size(), repository.str()),
                            "pull the images whole, without --since");
  }
  const hash::Digest digest = hash::sha256_of(*bytes);
  graph.manifests.push_back({{std::string(image::k_oci_manifest), digest, bytes->size()}, bytes});
  image::Reference name = repository;
  name.digest = digest;
  pinned.images.push_back({.name = std::move(name),
                           .repository = {repository.registry, repository.repository},
                           .source_digest = digest,
                           .graph = std::move(graph),
                           .platforms = {},
                           .platform_choice = "all",
                           .target = wanted.place.target + "@" + digest.str(),
                           .subject = {},
                           .docker = {},
                           .notes = {},
                           .wanted = wanted});
  pinned.configs.emplace(config.digest, std::make_shared<const std::string>(image::k_oci_empty_bytes));
}

}  // namespace airgap::exporter
