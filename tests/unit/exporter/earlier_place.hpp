#pragma once

#include <fmt/format.h>

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "bundle-format/bundle_place.hpp"
#include "common/hash/hasher.hpp"
#include "common/image/media_type.hpp"

namespace airgap::exporter::testing {

/// A place with a finished bundle of images without layers.
class EarlierPlace : public bundle::BundlePlace {
 public:
  const std::optional<bundle::BundleInfo>& existing() const override { return m_info; }
  bool finished() const override { return true; }
  std::optional<std::string> existing_manifest(const hash::Digest& digest) const override {
    const auto found = m_manifests.find(digest);
    return found == m_manifests.end() ? std::nullopt : std::optional(found->second);
  }
  bool has_blob(const bundle::Blob& blob) const override { return blob.kind == bundle::BlobKind::config; }
  std::uint64_t partial_bytes(const bundle::Blob&) const override { return 7; }

  /// Called in the order of names. `content` makes the digest.
  hash::Digest add(const std::string& name, const std::string& content,
                   std::optional<hash::Digest> subject = {}) {
    if (!m_info) m_info.emplace();
    std::string bytes = fmt::format(
        R"({{"schemaVersion":2,"mediaType":"{}","config":{{"mediaType":"{}","digest":"{}","size":1}},"layers":[]}})",
        image::k_oci_manifest, image::k_oci_config, hash::sha256_of(content).str());
    const hash::Digest digest = hash::sha256_of(bytes);
    m_info->images.push_back({.name = image::Reference::parse(name),
                              .digest = digest,
                              .media_type = std::string(image::k_oci_manifest),
                              .size = bytes.size(),
                              .source_digest = digest,
                              .platforms = {},
                              .target = "inside/" + content + ":1",
                              .subject = std::move(subject),
                              .platform_choice = "all"});
    m_manifests.emplace(digest, std::move(bytes));
    return digest;
  }
  void lose(const hash::Digest& manifest) { m_manifests.erase(manifest); }

 private:
  std::optional<bundle::BundleInfo> m_info;
  std::map<hash::Digest, std::string> m_manifests;
};

}  // namespace airgap::exporter::testing
