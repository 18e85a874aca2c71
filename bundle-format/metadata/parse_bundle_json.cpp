#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <unordered_map>

#include "bundle-format/metadata/bundle_json.hpp"
#include "bundle-format/metadata/json_values.hpp"
#include "bundle-format/metadata/limits.hpp"
#include "common/diag/error.hpp"
#include "common/image/manifest.hpp"
#include "common/image/media_type.hpp"
#include "common/json/reader.hpp"
#include "common/text/escape.hpp"

namespace airgap::bundle {
namespace {

using json::Node;

/// Every member of the top level that this version acts on: what "critical" may name.
constexpr std::array<std::string_view, 13> k_known{"format",  "needs",    "critical", "stream", "sequence",
                                                   "creator", "created",  "names",    "totals", "images",
                                                   "blobs",   "requires", "base"};

image::Platform platform_at(const Node& node) {
  const auto text = [&](std::string_view name) {
    const auto member = node.find(name);
    return member ? text_at(*member) : std::string();
  };
  image::Platform platform{.os = text("os"),
                           .architecture = text("architecture"),
                           .variant = text("variant"),
                           .os_version = text("os.version")};
  if (const auto features = node.find("os.features")) {
    for (const Node& feature : list_at(*features, k_max_platforms))
      platform.os_features.push_back(text_at(feature));
  }
  return platform;
}

Image image_at(const Node& node) {
  Image image{.name = name_at(node.at("name")),
              .digest = digest_at(node.at("digest")),
              .media_type = text_at(node.at("mediaType")),
              .size = bytes_at(node.at("size"), image::k_max_manifest),
              .source_digest = digest_at(node.at("sourceDigest")),
              .platforms = {},
              .bytes = bytes_at(node.at("bytes")),
              .target = target_at(node.at("target")),
              .subject = std::nullopt,
              .platform_choice = printable_at(node.at("platformChoice")),
              .unique_bytes = bytes_at(node.at("uniqueBytes"))};
  if (image.unique_bytes > image.bytes) node.at("uniqueBytes").fail("more than the image's bytes");
  if (!image::is_valid_media_type(image.media_type)) node.at("mediaType").fail("this is not a media type");
  for (const Node& platform : list_at(node.at("platforms"), k_max_platforms))
    image.platforms.push_back(platform_at(platform));
  if (const auto subject = node.find("subject")) image.subject = digest_at(*subject);
  return image;
}

BlobKind kind_at(const Node& node) {
  const std::string text = node.string();
  for (const BlobKind kind : {BlobKind::manifest, BlobKind::config, BlobKind::layer}) {
    if (text == name_of(kind)) return kind;
  }
  node.fail(fmt::format("'{}' is no kind of blob", text::escape(text)));
}

/// SPEC.md, "Room to grow": the one place that knows the ways a blob may be stored.
std::uint64_t stored_size_at(const Node& blob, std::uint64_t size, const std::string& remedy) {
  const auto stored = blob.find("stored");
  if (!stored) return size;
  const std::string way = stored->at("way").string();
  if (way != "identity")
    throw diag::UnsafeError(fmt::format("{}: this program does not know the way '{}' of storing a blob",
                                        stored->pointer(), text::escape(way)),
                            remedy);
  const std::uint64_t stored_size = bytes_at(stored->at("size"));
  if (stored_size != size)
    stored->fail(fmt::format("stored as it is, {} bytes take {} bytes", size, stored_size));
  return stored_size;
}

Blob blob_at(const Node& node, const std::string& remedy) {
  Blob blob{
      .digest = digest_at(node.at("digest")), .size = 0, .kind = kind_at(node.at("kind")), .stored_size = 0};
  const bool manifest = blob.kind == BlobKind::manifest;
  blob.size = bytes_at(node.at("size"), manifest ? image::k_max_manifest : k_max_blob_bytes);
  blob.stored_size = stored_size_at(node, blob.size, remedy);
  return blob;
}

/// Manifests are always carried: what a delta leaves out are configs and layers.
RequiredBlob required_at(const Node& node) {
  RequiredBlob blob{.digest = digest_at(node.at("digest")),
                    .size = bytes_at(node.at("size")),
                    .kind = kind_at(node.at("kind"))};
  if (blob.kind == BlobKind::manifest) node.fail("a manifest is carried, never required");
  if (const auto repository = node.find("repository")) blob.repository = repository_at(*repository);
  return blob;
}

template <class AnyBlob, class Parse>
std::vector<AnyBlob> in_order(const Node& node, Parse&& parse) {
  std::vector<AnyBlob> blobs;
  for (const Node& entry : list_at(node, k_max_blobs)) {
    blobs.push_back(parse(entry));
    if (blobs.size() < 2) continue;
    const AnyBlob& before = blobs[blobs.size() - 2];
    const AnyBlob& last = blobs.back();
    if (std::tie(before.kind, before.digest) >= std::tie(last.kind, last.digest))
      entry.fail("it is not in order (kind, then digest), or there twice");
  }
  return blobs;
}

std::vector<Blob> blobs_at(const Node& node, const std::string& remedy) {
  return in_order<Blob>(node, [&](const Node& entry) { return blob_at(entry, remedy); });
}

std::vector<RequiredBlob> requires_at(const Node& node) {
  return in_order<RequiredBlob>(node, &required_at);
}

std::vector<BaseImage> base_at(const Node& node) {
  std::vector<BaseImage> images;
  for (const Node& entry : list_at(node, k_max_images)) {
    images.push_back({name_at(entry.at("name")), target_at(entry.at("target"))});
    if (images.size() > 1 && images[images.size() - 2].name >= images.back().name)
      entry.fail("it is not in order of names, or there twice");
  }
  return images;
}

/// What is asked of the bundle as a whole, once its parts are right.
class Consistency {
 public:
  Consistency(const Node& root, const BundleInfo& info) : m_root(root), m_info(info) {}

  void check() {
    add("blobs", m_info.blobs);
    add("requires", m_info.requires_);
    check_totals();
    for (std::size_t i = 0; i < m_info.images.size(); ++i) check_image(i);
  }

 private:
  template <class AnyBlob>
  void add(std::string_view name, const std::vector<AnyBlob>& blobs) {
    for (std::size_t i = 0; i < blobs.size(); ++i) {
      const AnyBlob& blob = blobs[i];
      if (!m_blobs.emplace(blob.digest, Known{blob.kind, blob.size}).second)
        m_root.at(name).elements().at(i).fail(blob.digest.str() + " is there twice");
      m_bytes += blob.size;
      if (blob.kind == BlobKind::manifest) m_manifest_bytes += blob.size;
      if (m_bytes > k_max_blob_bytes)
        m_root.at(name).fail("the blobs together are over the limit of a bundle");
      if (m_manifest_bytes > k_max_manifest_bytes)
        m_root.at(name).fail(
            fmt::format("the manifests together are over the limit of {} bytes", k_max_manifest_bytes));
    }
  }

  void check_totals() const {
    const Node totals = m_root.at("totals");
    const auto expect = [&](std::string_view name, std::uint64_t expected) {
      const Node node = totals.at(name);
      if (node.uint64() != expected) node.fail(fmt::format("expected {}, found {}", expected, node.uint64()));
    };
    expect("images", m_info.images.size());
    expect("blobs", m_info.blobs.size());
    expect("bytes", m_info.stored_bytes());
  }

  void check_image(std::size_t i) const {
    const Image& image = m_info.images[i];
    const auto fail = [&](const std::string& why) { m_root.at("images").elements().at(i).fail(why); };
    if (i > 0 && !(m_info.images[i - 1].name < image.name))
      fail("it is not in order of names, or there twice");
    const auto blob = m_blobs.find(image.digest);
    if (blob == m_blobs.end() || blob->second.kind != BlobKind::manifest)
      fail(image.digest.str() + " is not among the manifests of the bundle");
    else if (blob->second.size != image.size)
      fail(fmt::format("{} has {} bytes here and {} there", image.digest.str(), image.size,
                       blob->second.size));
  }

  struct Known {
    BlobKind kind;
    std::uint64_t size;
  };
  const Node& m_root;
  const BundleInfo& m_info;
  std::unordered_map<hash::Digest, Known> m_blobs;
  std::uint64_t m_bytes = 0;
  std::uint64_t m_manifest_bytes = 0;
};

/// What to do about a bundle that is newer than this program: "needs" says it when the writer did.
std::string remedy_of(const Node& root) {
  const auto needs = root.find("needs");
  const auto creator = root.find("creator");
  std::string version = needs && needs->is_string() ? needs->string() : "a newer airgap";
  if (!(needs && needs->is_string()) && creator && creator->is_string())
    version += ", such as " + creator->string() + " that wrote it";
  return "this bundle needs " + text::escape(version);
}

void refuse_newer(const Node& root, const std::string& remedy) {
  const std::uint64_t format = root.at("format").uint64();
  if (format == 0) throw diag::UnsafeError("bundle.json has format 0, and there is no such format");
  if (format > k_format)
    throw diag::UnsafeError(
        fmt::format("bundle.json has format {}, and this program reads format {}", format, k_format), remedy);
  const auto critical = root.find("critical");
  if (!critical) return;
  for (const std::string& name : critical->string_list()) {
    if (std::find(k_known.begin(), k_known.end(), name) == k_known.end())
      throw diag::UnsafeError(
          fmt::format("bundle.json has a critical member '{}' that this program does not know",
                      text::escape(name)),
          remedy);
  }
}

BundleInfo info_of(const Node& root) {
  const std::string remedy = remedy_of(root);
  refuse_newer(root, remedy);
  BundleInfo info;
  info.stream = stream_at(root.at("stream"));
  info.sequence = sequence_at(root.at("sequence"));
  info.creator = printable_at(root.at("creator"));
  info.created = time_at(root.at("created"));
  info.names = parsed(root.at("names"), &image::parse_name_mode);
  for (const Node& node : list_at(root.at("images"), k_max_images)) info.images.push_back(image_at(node));
  info.blobs = blobs_at(root.at("blobs"), remedy);
  if (const auto left_out = root.find("requires")) info.requires_ = requires_at(*left_out);
  if (const auto base = root.find("base")) info.base = base_at(*base);
  Consistency(root, info).check();
  return info;
}

}  // namespace

BundleInfo parse_bundle_json(std::string_view bytes) {
  return diag::with_context([] { return "reading bundle.json"; },
                            [&] {
                              const auto document = json::Document::parse(
                                  bytes, {.bytes = k_max_bundle_json, .values = k_max_json_values});
                              return info_of(document.root());
                            });
}

}  // namespace airgap::bundle
