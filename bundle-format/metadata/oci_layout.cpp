#include "bundle-format/metadata/oci_layout.hpp"

#include <fmt/format.h>

#include "bundle-format/metadata/limits.hpp"
#include "common/diag/error.hpp"
#include "common/image/descriptor.hpp"
#include "common/image/media_type.hpp"
#include "common/json/reader.hpp"
#include "common/json/writer.hpp"

namespace airgap::bundle {
namespace {

constexpr std::string_view k_version = "1.0.0";
// skopeo, crane and oras look for the first, containerd and its tools for the second.
constexpr std::string_view k_ref_name = "org.opencontainers.image.ref.name";
constexpr std::string_view k_containerd_name = "io.containerd.image.name";

image::Descriptor descriptor_of(const Image& image) {
  image::Descriptor descriptor{.media_type = image.media_type, .digest = image.digest, .size = image.size};
  const std::string name = image.name.str();
  descriptor.annotations.emplace(k_ref_name, name);
  descriptor.annotations.emplace(k_containerd_name, name);
  if (image.platforms.size() == 1) descriptor.platform = image.platforms.front();
  return descriptor;
}

void check_descriptor(const json::Node& node, const Image& image) {
  const image::Descriptor found = image::Descriptor::parse(node);
  const std::string name = image.name.str();
  for (const std::string_view key : {k_ref_name, k_containerd_name}) {
    const auto annotation = found.annotations.find(key);
    if (annotation == found.annotations.end() || annotation->second != name)
      node.fail(fmt::format("{} is not '{}', as in bundle.json", key, name));
  }
  if (found.digest != image.digest || found.size != image.size || found.media_type != image.media_type)
    node.fail(fmt::format("this is not the manifest that bundle.json has for {}: expected {} of {} bytes",
                          name, image.digest.str(), image.size));
}

}  // namespace

std::string write_oci_layout() {
  json::Writer writer(json::Writer::Style::compact);
  writer.begin_object().member("imageLayoutVersion", k_version).end_object();
  return writer.str() + "\n";
}

void check_oci_layout(std::string_view bytes) {
  const auto document = json::Document::parse(bytes, {.bytes = k_max_oci_layout});
  const json::Node version = document.root().at("imageLayoutVersion");
  if (version.string() != k_version) version.fail(fmt::format("expected '{}'", k_version));
}

std::string write_index_json(const BundleInfo& info) {
  json::Writer writer;
  writer.begin_object().member("schemaVersion", 2).member("mediaType", image::k_oci_index);
  writer.key("manifests").begin_array();
  for (const Image& image : info.images) descriptor_of(image).write(writer);
  writer.end_array().end_object();
  return writer.str();
}

void check_index_json(std::string_view bytes, const BundleInfo& info) {
  const auto document =
      json::Document::parse(bytes, {.bytes = k_max_index_json, .values = k_max_json_values});
  const json::Node root = document.root();
  if (root.at("schemaVersion").uint64() != 2) root.fail("schemaVersion is not 2");
  const auto manifests = root.at("manifests").elements();
  if (manifests.size() != info.images.size())
    root.fail(fmt::format("it names {} images and bundle.json {}", manifests.size(), info.images.size()));
  for (std::size_t i = 0; i < manifests.size(); ++i) check_descriptor(manifests[i], info.images[i]);
}

}  // namespace airgap::bundle
