#include "common/image/descriptor.hpp"

#include <fmt/format.h>

#include "common/diag/error.hpp"
#include "common/hash/hasher.hpp"
#include "common/image/media_type.hpp"
#include "common/image/member_names.hpp"
#include "common/image/platform_members.hpp"
#include "common/text/base64.hpp"

namespace airgap::image {
namespace {

hash::Digest digest_at(const json::Node& node) {
  const std::string text = node.string();
  try {
    return hash::Digest::parse(text);
  } catch (const diag::FormatError& error) {
    node.fail(error.message());
  }
}

std::string media_type_at(const json::Node& node) {
  std::string text = node.string();
  if (!is_valid_media_type(text)) node.fail("this is not a media type");
  return text;
}

Platform platform_at(const json::Node& node) {
  refuse_misspelt(node, {"os", "architecture", "variant", "os.version", "os.features"});
  return platform_members(node);
}

std::string data_at(const json::Node& node, const hash::Digest& digest, std::uint64_t size) {
  auto bytes = text::from_base64(node.string());
  if (!bytes) node.fail("this is not base64");
  if (bytes->size() != size) {
    throw diag::IntegrityError(fmt::format("{}: the inline data of {} has {} bytes, and {} are declared",
                                           node.pointer(), digest.str(), bytes->size(), size));
  }
  if (const hash::Digest actual = hash::digest_of(digest.algorithm(), *bytes); actual != digest) {
    throw diag::IntegrityError(
        fmt::format("{}: the inline data does not match its digest: expected {}, found {}", node.pointer(),
                    digest.str(), actual.str()));
  }
  return std::move(*bytes);
}

void write_platform(json::Writer& writer, const Platform& platform) {
  writer.key("platform").begin_object();
  writer.member("architecture", platform.architecture).member("os", platform.os);
  if (!platform.os_version.empty()) writer.member("os.version", platform.os_version);
  if (!platform.os_features.empty()) {
    writer.key("os.features").begin_array();
    for (const std::string& feature : platform.os_features) writer.value(feature);
    writer.end_array();
  }
  if (!platform.variant.empty()) writer.member("variant", platform.variant);
  writer.end_object();
}

}  // namespace

Descriptor Descriptor::parse(const json::Node& node) {
  refuse_misspelt(node,
                  {"mediaType", "digest", "size", "urls", "platform", "artifactType", "annotations", "data"});
  Descriptor descriptor{.media_type = media_type_at(node.at("mediaType")),
                        .digest = digest_at(node.at("digest")),
                        .size = node.at("size").uint64()};
  if (const auto urls = node.find("urls")) descriptor.urls = urls->string_list();
  if (const auto platform = node.find("platform")) descriptor.platform = platform_at(*platform);
  descriptor.artifact_type = node.optional_string("artifactType");
  if (const auto annotations = node.find("annotations")) descriptor.annotations = annotations->string_map();
  if (const auto data = node.find("data"))
    descriptor.data = data_at(*data, descriptor.digest, descriptor.size);
  return descriptor;
}

void Descriptor::write(json::Writer& writer) const {
  writer.begin_object();
  writer.member("mediaType", media_type).member("digest", digest.str()).member("size", size);
  if (!urls.empty()) {
    writer.key("urls").begin_array();
    for (const std::string& url : urls) writer.value(url);
    writer.end_array();
  }
  if (!annotations.empty()) {
    writer.key("annotations").begin_object();
    for (const auto& [name, value] : annotations) writer.member(name, value);
    writer.end_object();
  }
  if (data) writer.member("data", text::to_base64(*data));
  if (platform) write_platform(writer, *platform);
  writer.member("artifactType", artifact_type);
  writer.end_object();
}

}  // namespace airgap::image
