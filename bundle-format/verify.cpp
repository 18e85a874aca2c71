#include "bundle-format/verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "bundle-format/blob_lookup.hpp"
#include "bundle-format/inspection.hpp"
#include "bundle-format/layout.hpp"
#include "bundle-format/reference_check.hpp"
#include "bundle-format/skopeo_tree/verify_tree.hpp"
#include "common/hash/verifying_source.hpp"
#include "common/task/for_each.hpp"
#include "common/task/guarded.hpp"

namespace airgap::bundle {
namespace {

constexpr std::size_t k_read = std::size_t{512} * 1024;  // bytes at once, for each thread
/// Names listed under findings, all together: a bundle damaged all over would otherwise fill the memory with
/// them.
constexpr std::size_t k_max_listed = 100'000;

using Progress = std::function<void(std::uint64_t)>;

/// Reads a blob to its end; what is wrong with it, if anything.
std::optional<Finding> read_blob(const Inspection& bundle, const Blob& blob, const Progress& progress) {
  try {
    const auto bytes = bundle.blob_bytes(blob, 0);
    hash::VerifyingSource verified(*bytes, blob.digest, blob.size);
    std::vector<std::byte> buffer(std::clamp<std::uint64_t>(blob.size + 1, io::k_min_read, k_read));
    while (const std::size_t count = verified.read(buffer)) progress(count);
    return std::nullopt;
  } catch (const diag::Error& error) {
    return finding_of(error, blob_path(blob.digest));
  }
}

std::vector<Finding> read_blobs(const Inspection& bundle, std::size_t jobs, std::stop_token stop,
                                const Progress& progress) {
  task::Guarded<std::vector<Finding>> findings;
  task::for_each_index(bundle.readable.size(), jobs, stop, [&](std::size_t i) {
    const auto read = [&](std::uint64_t count) {
      progress(count);
      if (stop.stop_requested()) throw diag::Interrupted();
    };
    if (auto finding = read_blob(bundle, bundle.readable[i], read))
      findings.with([&](auto& list) { list.push_back(std::move(*finding)); });
  });
  return findings.with([](auto& list) { return std::move(list); });
}

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
      const auto blob = blob_of(finding);
      if (blob) damaged.push_back(*blob);
      all = all || concerns_all(finding);
      if (listed >= k_max_listed) continue;
      if (blob) finding.images = names(m_references.images_above({*blob}));
      if (concerns_all(finding)) finding.images = names(everything());
      listed += finding.images.size();
    }
    if (all) return names(everything());
    return damaged.empty() ? std::vector<std::string>{} : names(m_references.images_above(damaged));
  }

 private:
  /// The blob of the bundle that a finding is about.
  std::optional<hash::Digest> blob_of(const Finding& finding) const {
    const auto digest = digest_of_path(finding.file);
    return digest && m_blobs.find(*digest) != nullptr ? digest : std::nullopt;
  }

  /// The files around the blobs are every image's; what merely does not belong there is none's, nor is the
  /// end.
  static bool concerns_all(const Finding& finding) {
    if (digest_of_path(finding.file) || finding.file == k_archive_end) return false;
    return finding.kind != diag::ErrorKind::unsafe || metadata_cap(finding.file).has_value();
  }

  std::set<std::size_t> everything() const {
    std::set<std::size_t> all;
    for (std::size_t i = 0; i < m_info.images.size(); ++i) all.insert(all.end(), i);
    return all;
  }

  std::vector<std::string> names(const std::set<std::size_t>& images) const {
    std::vector<std::string> list;
    for (const std::size_t i : images) list.push_back(m_info.images[i].name.str());
    return list;
  }

  const BundleInfo& m_info;
  BlobLookup m_blobs;
  const References& m_references;
};

/// Follows the references through the manifests that came out whole, then says which images all the findings
/// touch.
void follow_references(const Inspection& bundle, const std::vector<Finding>& unread, VerifyReport& report) {
  std::set<hash::Digest> whole;
  for (const Blob& blob : bundle.readable) whole.insert(blob.digest);
  for (const Finding& finding : unread) {
    if (const auto digest = digest_of_path(finding.file)) whole.erase(*digest);
  }
  const References references(*bundle.info, [&](const Blob& manifest) -> std::optional<std::string> {
    if (!whole.contains(manifest.digest)) return std::nullopt;
    const auto bytes = bundle.blob_bytes(manifest, 0);
    return read_verified(*bytes, manifest);
  });
  report.findings.insert(report.findings.end(), references.findings().begin(), references.findings().end());
  report.damaged = Blame(*bundle.info, references).assign(report.findings);
}

}  // namespace

VerifyReport verify_bundle(const std::string& path, std::size_t jobs, std::stop_token stop,
                           const std::function<void(std::uint64_t)>& progress) {
  if (const auto tree = skopeo_tree::inspect_tree(path))
    return skopeo_tree::verify_tree(*tree, jobs, stop, progress);
  Inspection bundle = inspect(path, Depth::files);
  VerifyReport report;
  report.info = bundle.info;
  report.files = bundle.files;
  report.bytes = bundle.metadata_bytes;
  for (const Blob& blob : bundle.readable) report.bytes += blob.stored_size;
  report.findings = std::move(bundle.findings);
  const std::vector<Finding> unread = read_blobs(bundle, jobs, stop, progress);
  report.findings.insert(report.findings.end(), unread.begin(), unread.end());
  if (bundle.info) follow_references(bundle, unread, report);
  std::stable_sort(report.findings.begin(), report.findings.end(),
                   [](const Finding& a, const Finding& b) { return a.file < b.file; });
  if (!bundle.info &&
      !report.findings.empty()) {  // what follows from the others stands last, and is no worse than they are
    report.findings.push_back({.kind = report.findings.front().kind,
                               .file = std::string(k_bundle_file),
                               .problem = "without it nobody knows the images: all of them are touched"});
  }
  return report;
}

}  // namespace airgap::bundle
