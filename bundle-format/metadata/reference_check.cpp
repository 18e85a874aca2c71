#include "bundle-format/metadata/reference_check.hpp"

#include <fmt/format.h>

#include <unordered_set>

#include "bundle-format/metadata/layout.hpp"
#include "common/image/manifest.hpp"
#include "common/image/media_type.hpp"

namespace airgap::bundle {
namespace {

std::vector<image::Descriptor> named_by(const image::ParsedManifest& parsed) {
  if (const image::Index* index = parsed.index()) return index->manifests;
  return parsed.image()->blobs();
}

}  // namespace

References::References(const BundleInfo& info, const ManifestBytes& bytes) : m_info(info) {
  for (const Blob& blob : info.blobs) m_nodes[blob.digest].blob = blob;
  for (const RequiredBlob& blob : info.requires_)
    m_nodes[blob.digest].blob = Blob{blob.digest, blob.size, blob.kind, blob.size};
  std::vector<Pending> pending;
  for (std::size_t i = 0; i < info.images.size(); ++i) {
    m_nodes[info.images[i].digest].images.push_back(i);
    pending.push_back({info.images[i].digest, info.images[i].media_type});
  }
  std::unordered_set<hash::Digest> seen;
  while (!pending.empty()) {
    const Pending next = std::move(pending.back());
    pending.pop_back();
    if (seen.insert(next.digest).second) follow(next, bytes, pending);
  }
}

void References::add(const hash::Digest& manifest, diag::ErrorKind kind, std::string problem) {
  m_findings.push_back({.kind = kind, .file = blob_path(manifest), .problem = std::move(problem)});
}

void References::follow(const Pending& manifest, const ManifestBytes& bytes, std::vector<Pending>& pending) {
  const Blob& blob = *m_nodes.at(manifest.digest).blob;
  if (!image::manifest_kind(manifest.media_type)) return;  // carried as it is (R48)
  const auto text = blob.kind == BlobKind::manifest ? bytes(blob) : std::nullopt;
  if (blob.kind != BlobKind::manifest)
    add(blob.digest, diag::ErrorKind::unsafe,
        "it is used as a manifest, and bundle.json does not call it one");
  if (!text) return m_unreadable.push_back(blob.digest);
  std::unordered_set<hash::Digest> named;
  try {
    for (const image::Descriptor& child : named_by(image::parse_manifest(*text, {}, manifest.media_type))) {
      if (!named.insert(child.digest).second) continue;
      const auto found = m_nodes.find(child.digest);
      if (found == m_nodes.end() || !found->second.blob) {
        add(blob.digest, diag::ErrorKind::integrity,
            child.digest.str() + ", which it names, is not in the bundle");
        continue;
      }
      if (found->second.blob->size != child.size)
        add(blob.digest, diag::ErrorKind::unsafe,
            fmt::format("it gives {} {} bytes, and the bundle has {}", child.digest.str(), child.size,
                        found->second.blob->size));
      found->second.parents.push_back(blob.digest);
      if (image::manifest_kind(child.media_type)) pending.push_back({child.digest, child.media_type});
    }
  } catch (const diag::Error& error) {
    add(blob.digest, error.kind(), error.message());
    m_unreadable.push_back(blob.digest);
  }
}

std::set<std::size_t> References::images_above(const std::vector<hash::Digest>& damaged) const {
  std::set<std::size_t> images;
  std::unordered_set<hash::Digest> seen(damaged.begin(), damaged.end());
  std::vector<hash::Digest> pending = damaged;
  const auto climb = [&] {
    while (!pending.empty()) {
      const auto node = m_nodes.find(pending.back());
      pending.pop_back();
      if (node == m_nodes.end()) continue;
      images.insert(node->second.images.begin(), node->second.images.end());
      for (const hash::Digest& parent : node->second.parents) {
        if (seen.insert(parent).second) pending.push_back(parent);
      }
    }
  };
  climb();
  if (images.empty()) {
    pending = m_unreadable;
    climb();
  }
  return images;
}

}  // namespace airgap::bundle
