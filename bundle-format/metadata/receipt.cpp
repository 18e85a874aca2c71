#include "bundle-format/metadata/receipt.hpp"

#include <fmt/format.h>

#include "bundle-format/metadata/json_values.hpp"
#include "common/json/writer.hpp"

namespace airgap::bundle {
namespace {

using json::Node;

constexpr std::uint64_t k_format_of_receipts = 1;

/// "path:tag" or "path@digest" in a registry.
std::string path_of(const image::Reference& name) {
  return name.str().substr(name.registry.size() + 1);
}

image::RegistryTarget registry_at(const Node& root) {
  image::RegistryTarget target{.registry = text_at(root.at("registry")),
                               .prefix = text_at(root.at("prefix"))};
  if (!image::is_valid_registry(target.registry)) root.at("registry").fail("this is no registry");
  if (!target.prefix.empty()) target.prefix = repository_at(root.at("prefix"));
  return target;
}

image::Reference target_at(const Node& node, const std::string& registry) {
  const std::string text = text_at(node);
  auto target =
      parsed(node, [&](const std::string& path) { return image::Reference::in_registry(registry, path); });
  if (path_of(target) != text) node.fail(fmt::format("the full path would be '{}'", path_of(target)));
  if (!target.tag && !target.digest) node.fail("a target has a tag or a digest");
  return target;
}

ReceivedImage image_at(const Node& node, const std::string& registry) {
  ReceivedImage image{.name = name_at(node.at("name")),
                      .target = target_at(node.at("target"), registry),
                      .digest = digest_at(node.at("digest")),
                      .before = {}};
  if (const auto before = node.find("before")) image.before = digest_at(*before);
  return image;
}

ReceivedBlob blob_at(const Node& node) {
  return {digest_at(node.at("digest")), bytes_at(node.at("size")), repository_at(node.at("repository"))};
}

Receipt receipt_of(const Node& root) {
  if (const auto kind = root.find("kind"); !kind || kind->string() != k_receipt_kind)
    throw diag::FormatError("this is no receipt");
  if (const std::uint64_t format = root.at("format").uint64(); format != k_format_of_receipts)
    root.at("format").fail(fmt::format("this program reads format 1, and not {}", format));
  Receipt receipt;
  receipt.creator = printable_at(root.at("creator"));
  receipt.created = time_at(root.at("created"));
  receipt.registry = registry_at(root);
  if (const auto stream = root.find("stream"))
    receipt.position = StreamPosition{stream_at(*stream), sequence_at(root.at("sequence"))};
  if (const auto bundle = root.find("bundle")) receipt.bundle = printable_at(*bundle);
  for (const Node& node : list_at(root.at("images"), k_max_images)) {
    receipt.images.push_back(image_at(node, receipt.registry.registry));
    const std::size_t count = receipt.images.size();
    if (count > 1 && receipt.images[count - 2].target >= receipt.images[count - 1].target)
      node.fail("it is not in order of targets, or there twice");
  }
  for (const Node& node : list_at(root.at("blobs"), k_max_blobs)) {
    receipt.blobs.push_back(blob_at(node));
    const std::size_t count = receipt.blobs.size();
    if (count > 1 && receipt.blobs[count - 2].digest >= receipt.blobs[count - 1].digest)
      node.fail("it is not in order of digests, or there twice");
  }
  return receipt;
}

}  // namespace

std::string Receipt::repository_of(const ReceivedBlob& blob) const {
  if (registry.prefix.empty()) return blob.repository;
  const std::string prefix = registry.prefix + "/";
  return blob.repository.starts_with(prefix) ? blob.repository.substr(prefix.size()) : std::string{};
}

std::optional<std::string> Receipt::target_of(const ReceivedImage& image) const {
  std::string path = path_of(image.target);
  if (registry.prefix.empty()) return path;
  if (!path.starts_with(registry.prefix + "/")) return std::nullopt;
  return path.substr(registry.prefix.size() + 1);
}

std::string write_receipt(const Receipt& receipt) {
  json::Writer writer;
  writer.begin_object().member("kind", k_receipt_kind).member("format", k_format_of_receipts);
  writer.member("creator", receipt.creator).member("created", receipt.created);
  writer.member("registry", receipt.registry.registry).member("prefix", receipt.registry.prefix);
  if (receipt.position) {
    writer.member("stream", receipt.position->stream).member("sequence", receipt.position->sequence);
  }
  if (!receipt.bundle.empty()) writer.member("bundle", receipt.bundle);
  writer.key("images").begin_array();
  for (const ReceivedImage& image : receipt.images) {
    writer.begin_object().member("name", image.name.str()).member("target", path_of(image.target));
    writer.member("digest", image.digest.str());
    if (image.before) writer.member("before", image.before->str());
    writer.end_object();
  }
  writer.end_array().key("blobs").begin_array();
  for (const ReceivedBlob& blob : receipt.blobs) {
    writer.begin_object().member("digest", blob.digest.str()).member("size", blob.size);
    writer.member("repository", blob.repository).end_object();
  }
  writer.end_array().end_object();
  return writer.str();
}

Receipt parse_receipt(std::string_view bytes) {
  const auto document =
      json::Document::parse(bytes, {.bytes = k_max_bundle_json, .values = k_max_json_values});
  return receipt_of(document.root());
}

}  // namespace airgap::bundle
