#include <fmt/format.h>

#include <array>
#include <unordered_map>

#include "common/diag/error.hpp"
#include "common/image/manifest.hpp"
#include "common/image/media_type.hpp"
#include "common/image/member_names.hpp"
#include "common/json/reader.hpp"
#include "common/text/escape.hpp"

namespace airgap::image {
namespace {

// The digest of "{}": by convention the config or layer of artifacts that have none, under any media type.
constexpr std::string_view k_empty_json =
    "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

[[noreturn]] void refuse_schema1() {
  throw diag::UnsafeError(
      "unsupported legacy format (schema 1)",
      "pull and push the image again with a current docker, podman or skopeo to convert it");
}

// Types that servers give to files they know nothing about (R44).
bool says_nothing(std::string_view content_type) {
  return content_type == "text/plain" || content_type == "application/json" ||
         content_type == "application/octet-stream" || content_type == "binary/octet-stream";
}

void check_shape(const json::Node& root) {
  if (!root.is_object()) root.fail("a manifest is an object");
  refuse_misspelt(root, {"schemaVersion", "mediaType", "config", "layers", "manifests", "fsLayers", "blobs",
                         "subject", "artifactType", "annotations"});
  if (root.contains("manifests")) {
    for (const std::string_view other : {"layers", "config", "fsLayers", "blobs"}) {
      if (!root.contains(other)) continue;
      throw diag::UnsafeError(
          fmt::format("the document has both \"manifests\" and \"{}\": it can be read as an image "
                      "and as an index (CVE-2021-41190)",
                      other));
    }
  }
  if (root.contains("fsLayers")) refuse_schema1();
  if (const auto version = root.find("schemaVersion")) {
    if (version->uint64() == 1) refuse_schema1();
    if (version->uint64() != 2) version->fail(fmt::format("expected 2, found {}", version->uint64()));
  }
}

std::optional<std::string> type_of_shape(const json::Node& root) {
  if (root.contains("manifests")) return std::string(k_oci_index);
  if (root.contains("config")) return std::string(k_oci_manifest);
  return std::nullopt;  // `blobs` and `layers` alone are not enough
}

// All that is said about the type must be the same.
class TypeClaims {
 public:
  void add(std::string_view who, std::string type) {
    if (type.empty()) return;
    if (is_schema1(type)) refuse_schema1();
    if (!m_type.empty() && m_type != type) {
      throw diag::UnsafeError(fmt::format("the media types differ: {} says '{}', {} says '{}'", m_who,
                                          text::escape(m_type), who, text::escape(type)));
    }
    m_who = who;
    m_type = std::move(type);
  }
  const std::string& type() const { return m_type; }  // empty when nobody said anything

 private:
  std::string_view m_who;
  std::string m_type;
};

std::string decide_type(const json::Node& root, std::string_view content_type, std::string_view expected) {
  const std::string served = bare_media_type(content_type);
  TypeClaims claims;
  claims.add("the document", root.optional_string("mediaType").value_or(""));
  claims.add("the descriptor that names it", std::string(expected));
  if (!says_nothing(served)) claims.add("the server", served);
  if (!claims.type().empty()) return claims.type();
  if (!served.empty()) {
    throw diag::FormatError(
        fmt::format("served as '{}' and without a mediaType inside: it may be anything", served),
        "check that the address is that of a registry");
  }
  if (auto type = type_of_shape(root)) return *type;
  throw diag::FormatError("neither a mediaType nor the members of a manifest or an index");
}

// Descriptors of one document: counted, and compared where they repeat.
class DescriptorReader {
 public:
  std::vector<Descriptor> list(const json::Node& root, std::string_view name) {
    std::vector<Descriptor> descriptors;
    const auto found = root.find(name);
    if (!found) return descriptors;
    if (found->is_array() && found->size() > k_max_descriptors) {
      throw diag::UnsafeError(fmt::format("{}: {} entries, and {} are the limit", found->pointer(),
                                          found->size(), k_max_descriptors));
    }
    const std::vector<json::Node> nodes = found->elements();
    descriptors.reserve(nodes.size());
    for (const json::Node& node : nodes) descriptors.push_back(read(node));
    return descriptors;
  }
  std::optional<Descriptor> one(const json::Node& root, std::string_view name) {
    const auto found = root.find(name);
    return found ? std::optional(read(*found)) : std::nullopt;
  }

 private:
  struct Seen {
    std::uint64_t size;
    std::string media_type;
  };

  Descriptor read(const json::Node& node) {
    Descriptor descriptor = Descriptor::parse(node);
    const auto [seen, is_new] =
        m_seen.try_emplace(descriptor.digest, Seen{descriptor.size, descriptor.media_type});
    if (!is_new) compare(node, descriptor, seen->second);
    return descriptor;
  }
  static void compare(const json::Node& node, const Descriptor& descriptor, const Seen& before) {
    if (descriptor.size != before.size) {
      throw diag::UnsafeError(fmt::format("{}: {} is listed with {} bytes and with {} bytes", node.pointer(),
                                          descriptor.digest.str(), before.size, descriptor.size));
    }
    if (descriptor.media_type != before.media_type && descriptor.digest.str() != k_empty_json) {
      throw diag::UnsafeError(fmt::format("{}: {} is listed as '{}' and as '{}'", node.pointer(),
                                          descriptor.digest.str(), text::escape(before.media_type),
                                          text::escape(descriptor.media_type)));
    }
  }

  std::unordered_map<hash::Digest, Seen> m_seen;
};

Annotations annotations_of(const json::Node& root) {
  const auto found = root.find("annotations");
  return found ? found->string_map() : Annotations{};
}

Manifest read_manifest(const json::Node& root, const std::string& type) {
  DescriptorReader reader;
  const bool artifact = type == k_artifact_manifest;
  if (artifact && root.contains("layers")) root.fail("an artifact manifest has \"blobs\", not \"layers\"");
  if (!artifact) static_cast<void>(root.at("config"));
  Manifest manifest{.media_type = type};
  manifest.config = reader.one(root, "config");
  if (!artifact && !manifest.config) root.at("config").fail("expected a descriptor, found null");
  manifest.layers = reader.list(root, artifact ? "blobs" : "layers");
  manifest.subject = reader.one(root, "subject");
  manifest.artifact_type = root.optional_string("artifactType");
  manifest.annotations = annotations_of(root);
  return manifest;
}

Index read_index(const json::Node& root, const std::string& type) {
  DescriptorReader reader;
  static_cast<void>(root.at("manifests"));
  Index index{.media_type = type};
  index.manifests = reader.list(root, "manifests");
  index.subject = reader.one(root, "subject");
  index.artifact_type = root.optional_string("artifactType");
  index.annotations = annotations_of(root);
  return index;
}

}  // namespace

ParsedManifest parse_manifest(std::string_view bytes, std::string_view content_type,
                              std::string_view expected_media_type) {
  if (bytes.size() > k_max_manifest) {
    throw diag::UnsafeError(
        fmt::format("a manifest of {} bytes is over the limit of {} bytes", bytes.size(), k_max_manifest));
  }
  const json::Document document = json::Document::parse(bytes);
  const json::Node root = document.root();
  check_shape(root);
  std::string type = decide_type(root, content_type, expected_media_type);
  const auto kind = manifest_kind(type);
  if (!kind) {
    throw diag::FormatError(fmt::format("'{}' is no type of a manifest or index", text::escape(type)));
  }
  if (kind == ManifestKind::index) return {type, read_index(root, type)};
  return {type, read_manifest(root, type)};
}

}  // namespace airgap::image
