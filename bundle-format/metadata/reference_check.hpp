#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "bundle-format/metadata/bundle_json.hpp"
#include "bundle-format/metadata/finding.hpp"

namespace airgap::bundle {

/// What the manifests of a bundle name, followed from its images.
class References {
 public:
  /// The verified bytes of a manifest, or nothing when it is damaged.
  using ManifestBytes = std::function<std::optional<std::string>(const Blob& manifest)>;

  /// Reads each manifest once. Borrows `info`. Throws what `bytes` throws.
  References(const BundleInfo& info, const ManifestBytes& bytes);

  /// A manifest that is none, and names of blobs that the bundle does not have or has in another size.
  const std::vector<Finding>& findings() const { return m_findings; }

  /// The images that need one of `damaged`, as positions in info.images. A damaged manifest hides what it
  /// names: what nobody else names may belong to any image above such a manifest.
  std::set<std::size_t> images_above(const std::vector<hash::Digest>& damaged) const;

 private:
  struct Node {
    std::optional<Blob> blob{};
    std::vector<hash::Digest> parents{};
    std::vector<std::size_t> images{};  ///< that name it directly
  };
  struct Pending {
    hash::Digest digest;
    std::string media_type;
  };
  void follow(const Pending& manifest, const ManifestBytes& bytes, std::vector<Pending>& pending);
  void add(const hash::Digest& manifest, diag::ErrorKind kind, std::string problem);

  const BundleInfo& m_info;
  std::unordered_map<hash::Digest, Node> m_nodes;
  std::vector<hash::Digest> m_unreadable;  ///< manifests
  std::vector<Finding> m_findings;
};

}  // namespace airgap::bundle
