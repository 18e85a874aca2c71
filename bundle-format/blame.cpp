#include "bundle-format/blame.hpp"

#include <set>

#include "bundle-format/blob_lookup.hpp"
#include "bundle-format/metadata/layout.hpp"
#include "bundle-format/metadata/reference_check.hpp"

namespace airgap::bundle {
namespace {

/// Names listed under findings, all together: a bundle damaged all over would otherwise fill the memory with
/// them.
constexpr std::size_t k_max_listed = 100'000;

/// Says of each finding which images it touches, and returns them all.
class Blame {
 public:
  Blame(const BundleInfo& info, const References& references)
      : m_info(info), m_blobs(info), m_references(references) {}

  std::vector<std::string> assign(std::vector<Finding>& findings) const {
    std::vector<hash::Digest> damaged;
    bool all = false;
    std::size_t listed = 0;
    for (Finding& finding : findings) {
      const std::vector<hash::Digest> blobs = blobs_of(finding);
      damaged.insert(damaged.end(), blobs.begin(), blobs.end());
      all = all || concerns_all(finding);
      if (listed >= k_max_listed) continue;
      if (!blobs.empty()) finding.images = names(m_references.images_above(blobs));
      if (concerns_all(finding)) finding.images = names(everything());
      listed += finding.images.size();
    }
    if (all) return names(everything());
    return damaged.empty() ? std::vector<std::string>{} : names(m_references.images_above(damaged));
  }

 private:
  /// The blobs of the bundle that a finding is about.
  std::vector<hash::Digest> blobs_of(const Finding& finding) const {
    std::vector<hash::Digest> blobs = lost_with(finding);
    blobs.insert(blobs.end(), finding.around.begin(), finding.around.end());
    std::erase_if(blobs, [&](const hash::Digest& digest) { return m_blobs.find(digest) == nullptr; });
    return blobs;
  }

  /// The files around the blobs are every image's; what merely does not belong there is none's, nor is the
  /// end.
  static bool concerns_all(const Finding& finding) {
    if (!lost_with(finding).empty() || !finding.around.empty()) return false;
    if (finding.file.ends_with(k_archive_end)) return false;
    return finding.kind != diag::ErrorKind::unsafe || metadata_cap(finding.file).has_value();
  }

  std::set<std::size_t> everything() const {
    std::set<std::size_t> all;
    for (std::size_t i = 0; i < m_info.images.size(); ++i) all.insert(all.end(), i);
    return all;
  }

  std::vector<std::string> names(const std::set<std::size_t>& images) const {
    std::vector<std::string> list;
    list.reserve(images.size());
    for (const std::size_t i : images) list.push_back(m_info.images[i].name.str());
    return list;
  }

  const BundleInfo& m_info;
  BlobLookup m_blobs;
  const References& m_references;
};

}  // namespace

std::vector<std::string> blame(const Inspection& bundle, const std::vector<Finding>& unread,
                               std::vector<Finding>& findings) {
  std::set<hash::Digest> whole;
  for (const Blob& blob : bundle.readable) whole.insert(blob.digest);
  for (const Finding& finding : unread) {
    for (const hash::Digest& digest : lost_with(finding)) whole.erase(digest);
  }
  const References references(*bundle.info, [&](const Blob& manifest) -> std::optional<std::string> {
    if (!whole.contains(manifest.digest)) return std::nullopt;
    const auto bytes = bundle.blob_bytes(manifest, 0);
    return read_verified(*bytes, manifest);
  });
  findings.insert(findings.end(), references.findings().begin(), references.findings().end());
  return Blame(*bundle.info, references).assign(findings);
}

}  // namespace airgap::bundle
