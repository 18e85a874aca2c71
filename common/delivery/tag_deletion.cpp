#include "common/delivery/tag_deletion.hpp"

#include <fmt/format.h>

#include "common/hash/hasher.hpp"
#include "common/image/media_type.hpp"
#include "common/json/writer.hpp"

namespace airgap::delivery {
namespace {

// An artifact that nobody else has pushed: its only use is to be deleted.
std::string placeholder(const image::Descriptor& config) {
  json::Writer writer(json::Writer::Style::compact);
  writer.begin_object().member("schemaVersion", 2).member("mediaType", image::k_oci_manifest);
  writer.key("config").begin_object().member("mediaType", config.media_type);
  writer.member("digest", config.digest.str()).member("size", config.size).end_object();
  writer.key("layers").begin_array().end_array();
  writer.key("annotations").begin_object();
  writer.member("org.opencontainers.image.description", "stands for a tag that airgap deletes").end_object();
  return writer.end_object().str();
}

void delete_through_placeholder(const registry::Repository& repository, const std::vector<std::string>& tags,
                                registry::RegistryClient& client) {
  const image::Descriptor config{std::string(image::k_oci_empty), hash::sha256_of(image::k_oci_empty_bytes),
                                 image::k_oci_empty_bytes.size()};
  if (!client.has_blob(repository, config.digest)) {
    client.upload_blob(repository, config,
                       [](std::uint64_t offset) {
                         return std::make_unique<io::MemorySource>(image::k_oci_empty_bytes.substr(offset));
                       },
                       {});
  }
  const std::string manifest = placeholder(config);
  const hash::Digest digest = hash::sha256_of(manifest);
  client.put_manifest(repository, digest.str(), manifest, image::k_oci_manifest);
  client.delete_manifest(repository, digest);
  for (const std::string& tag : tags) {
    client.put_manifest(repository, tag, manifest, image::k_oci_manifest);
  }
  client.delete_manifest(repository, digest);
}

}  // namespace

void delete_tags(const registry::Repository& repository, const std::vector<std::string>& tags,
                 registry::RegistryClient& client) {
  std::vector<std::string> left;
  for (const std::string& tag : tags) {
    if (!left.empty() || !client.delete_tag(repository, tag)) left.push_back(tag);
  }
  if (!left.empty()) delete_through_placeholder(repository, left, client);
}

}  // namespace airgap::delivery
