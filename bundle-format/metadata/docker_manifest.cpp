#include "bundle-format/metadata/docker_manifest.hpp"

#include <fmt/format.h>

#include <set>
#include <unordered_set>

#include "bundle-format/metadata/layout.hpp"
#include "bundle-format/metadata/limits.hpp"
#include "common/json/reader.hpp"
#include "common/json/writer.hpp"

namespace airgap::bundle {
namespace {

using Digests = std::unordered_set<hash::Digest>;

hash::Digest blob_at(const json::Node& node, const Digests& blobs) {
  const auto digest = digest_of_path(node.string());
  if (!digest) node.fail("this is no path of a blob");
  if (!blobs.contains(*digest)) node.fail(digest->str() + " is not among the blobs of bundle.json");
  return *digest;
}

std::string name_at(const json::Node& tags, const std::set<std::string>& names) {
  const std::vector<std::string> list = tags.string_list();
  if (list.size() != 1) tags.fail("expected one name");
  if (!names.contains(list.front())) tags.fail("this is not the name of an image in bundle.json");
  return list.front();
}

Digests digests_of(const BundleInfo& info) {
  Digests digests;
  for (const Blob& blob : info.blobs) digests.insert(blob.digest);
  return digests;
}

// Engines know tags alone, so an image that is pinned as well goes by its tag there.
std::set<std::string> tagged_names(const BundleInfo& info) {
  std::set<std::string> names;
  for (const Image& image : info.images) {
    image::Reference tagged = image.name;
    tagged.digest.reset();
    if (tagged.tag) names.insert(tagged.str());
  }
  return names;
}

}  // namespace

std::string write_docker_manifest(const std::vector<DockerImage>& images) {
  json::Writer writer(json::Writer::Style::compact);
  writer.begin_array();
  for (const DockerImage& image : images) {
    writer.begin_object().member("Config", blob_path(image.config));
    writer.key("RepoTags").begin_array().value(image.name).end_array();
    writer.key("Layers").begin_array();
    for (const hash::Digest& layer : image.layers) writer.value(blob_path(layer));
    writer.end_array().end_object();
  }
  writer.end_array();
  return writer.str() + "\n";
}

std::vector<DockerImage> parse_docker_manifest(std::string_view bytes, const BundleInfo& info) {
  const auto document =
      json::Document::parse(bytes, {.bytes = k_max_index_json, .values = k_max_json_values});
  const Digests blobs = digests_of(info);
  const std::set<std::string> names = tagged_names(info);
  std::vector<DockerImage> images;
  for (const json::Node& node : document.root().elements()) {
    DockerImage image{name_at(node.at("RepoTags"), names), blob_at(node.at("Config"), blobs), {}};
    for (const json::Node& layer : node.at("Layers").elements())
      image.layers.push_back(blob_at(layer, blobs));
    images.push_back(std::move(image));
  }
  return images;
}

}  // namespace airgap::bundle
