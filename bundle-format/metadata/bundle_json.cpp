#include "bundle-format/metadata/bundle_json.hpp"

#include "common/json/writer.hpp"

namespace airgap::bundle {
namespace {

void write_platform(json::Writer& writer, const image::Platform& platform) {
  const auto member = [&](std::string_view name, const std::string& text) {
    if (!text.empty()) writer.member(name, text);
  };
  writer.begin_object();
  member("os", platform.os);
  member("architecture", platform.architecture);
  member("variant", platform.variant);
  member("os.version", platform.os_version);
  if (!platform.os_features.empty()) {
    writer.key("os.features").begin_array();
    for (const std::string& feature : platform.os_features) writer.value(feature);
    writer.end_array();
  }
  writer.end_object();
}

void write_image(json::Writer& writer, const Image& image) {
  writer.begin_object();
  writer.member("name", image.name.str()).member("digest", image.digest.str());
  writer.member("mediaType", image.media_type).member("size", image.size);
  writer.member("sourceDigest", image.source_digest.str()).member("bytes", image.bytes);
  writer.member("uniqueBytes", image.unique_bytes);
  writer.key("platforms").begin_array();
  for (const image::Platform& platform : image.platforms) write_platform(writer, platform);
  writer.end_array();
  writer.member("platformChoice", image.platform_choice).member("target", image.target);
  if (image.subject) writer.member("subject", image.subject->str());
  writer.end_object();
}

void write_blobs(json::Writer& writer, const std::vector<Blob>& blobs) {
  writer.key("blobs").begin_array();
  for (const Blob& blob : blobs) {
    writer.begin_object().member("digest", blob.digest.str()).member("size", blob.size);
    writer.member("kind", name_of(blob.kind)).end_object();
  }
  writer.end_array();
}

void write_requires(json::Writer& writer, const std::vector<RequiredBlob>& blobs) {
  if (blobs.empty()) return;
  writer.key("requires").begin_array();
  for (const RequiredBlob& blob : blobs) {
    writer.begin_object().member("digest", blob.digest.str()).member("size", blob.size);
    writer.member("kind", name_of(blob.kind));
    if (!blob.repository.empty()) writer.member("repository", blob.repository);
    writer.end_object();
  }
  writer.end_array();
}

void write_base(json::Writer& writer, const std::vector<BaseImage>& images) {
  if (images.empty()) return;
  writer.key("base").begin_array();
  for (const BaseImage& image : images) {
    writer.begin_object().member("name", image.name.str()).member("target", image.target).end_object();
  }
  writer.end_array();
}

}  // namespace

std::string_view name_of(BlobKind kind) noexcept {
  switch (kind) {
    case BlobKind::manifest:
      return "manifest";
    case BlobKind::config:
      return "config";
    case BlobKind::layer:
      break;
  }
  return "layer";
}

std::uint64_t BundleInfo::stored_bytes() const {
  std::uint64_t total = 0;
  for (const Blob& blob : blobs) total += blob.stored_size;
  return total;
}

std::uint64_t BundleInfo::required_bytes() const {
  std::uint64_t total = 0;
  for (const RequiredBlob& blob : requires_) total += blob.size;
  return total;
}

std::string write_bundle_json(const BundleInfo& info) {
  json::Writer writer;
  writer.begin_object().member("format", info.format).member("stream", info.stream);
  writer.member("sequence", info.sequence).member("creator", info.creator).member("created", info.created);
  writer.member("names", image::name_of(info.names));
  writer.key("totals").begin_object().member("images", info.images.size()).member("blobs", info.blobs.size());
  writer.member("bytes", info.stored_bytes()).end_object();
  writer.key("images").begin_array();
  for (const Image& image : info.images) write_image(writer, image);
  writer.end_array();
  write_blobs(writer, info.blobs);
  write_requires(writer, info.requires_);
  write_base(writer, info.base);
  writer.end_object();
  return writer.str();
}

}  // namespace airgap::bundle
