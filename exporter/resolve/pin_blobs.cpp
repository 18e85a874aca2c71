#include "exporter/resolve/pin_blobs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "common/hash/hasher.hpp"
#include "common/image/manifest.hpp"
#include "common/image/media_type.hpp"
#include "common/json/writer.hpp"

namespace airgap::exporter {
namespace {

constexpr std::string_view k_artifact_type = "application/vnd.airgap.blobs.v1";
constexpr std::string_view k_blob_type = "application/octet-stream";

void write_descriptor(json::Writer& writer, const image::Descriptor& descriptor) {
  writer.begin_object().member("mediaType", descriptor.media_type);
  writer.member("digest", descriptor.digest.str()).member("size", descriptor.size).end_object();
}

std::string manifest_of(const image::Descriptor& config, const std::vector<image::Descriptor>& layers) {
  json::Writer writer(json::Writer::Style::compact);
  writer.begin_object().member("schemaVersion", 2).member("mediaType", image::k_oci_manifest);
  writer.member("artifactType", k_artifact_type).key("config");
  write_descriptor(writer, config);
  writer.key("layers").begin_array();
  for (const image::Descriptor& layer : layers.empty() ? std::vector{config} : layers)
    write_descriptor(writer, layer);
  writer.end_array().end_object();
  return writer.str();
}

}  // namespace

void pin_blobs(const image::Reference& repository, const std::vector<bundle::WantedBlob>& blobs,
               PinnedImages& pinned) {
  const image::Descriptor config{std::string(image::k_oci_empty), hash::sha256_of(image::k_oci_empty_bytes),
                                 image::k_oci_empty_bytes.size()};
  transport::ImageGraph graph;
  graph.configs.push_back(config);
  for (const bundle::WantedBlob& blob : blobs) {
    if (blob.digest == config.digest) continue;
    graph.layers.push_back({std::string(k_blob_type), blob.digest, blob.size});
  }
  std::sort(graph.layers.begin(), graph.layers.end(),
            [](const auto& a, const auto& b) { return a.digest < b.digest; });
  graph.layers.erase(std::unique(graph.layers.begin(), graph.layers.end(),
                                 [](const auto& a, const auto& b) { return a.digest == b.digest; }),
                     graph.layers.end());
  const auto bytes = std::make_shared<const std::string>(manifest_of(config, graph.layers));
  if (bytes->size() > image::k_max_manifest) {
    throw diag::UnsafeError(fmt::format("{} blobs of {} are wanted, more than one manifest can name",
                                        blobs.size(), repository.str()),
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
                           .target = {},
                           .subject = {},
                           .docker = {},
                           .notes = {}});
  pinned.configs.emplace(config.digest, std::make_shared<const std::string>(image::k_oci_empty_bytes));
}

}  // namespace airgap::exporter
