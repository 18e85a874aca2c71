#include "bundle-format/skopeo_tree/tree_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "bundle-format/blob_lookup.hpp"
#include "bundle-format/skopeo_tree/layout.hpp"
#include "common/image/manifest.hpp"

namespace airgap::skopeo_tree {
namespace {

diag::Error error_of(const BrokenImage& broken, const std::string& path) {
  return bundle::as_error(bundle::gravest(broken.findings), path, broken.findings.size() - 1);
}

class TreeReader : public bundle::BundleReader {
 public:
  explicit TreeReader(TreeInspection tree) : m_tree(std::move(tree)), m_blobs(m_tree.info) {
    for (const BrokenImage& broken : m_tree.broken)
      m_broken.push_back({broken.name, error_of(broken, m_tree.path)});
  }

  const bundle::BundleInfo& info() const override { return m_tree.info; }
  std::string form() const override { return "skopeo-dir"; }
  const std::vector<bundle::BrokenImage>& broken() const override { return m_broken; }

  bundle::Signatures signatures_of(const bundle::Image& image) const override {
    bundle::Signatures signatures;
    const auto paths = m_tree.signatures.find(image.name);
    if (paths == m_tree.signatures.end()) return signatures;
    for (const std::string& path : paths->second) {
      const FileName name = FileName::parse(path.substr(path.rfind('/') + 1));
      auto& list = signatures[name.digest.value_or(image.digest)];
      list.resize(std::max(list.size(), name.number));
      list[name.number - 1] = m_tree.top->read_file(path, k_max_signature);
    }
    return signatures;
  }

  std::string read_manifest(const image::Descriptor& wanted) override {
    const bundle::Blob& blob = m_blobs.find(wanted);
    const auto bytes = source(m_tree.manifests.at(blob.digest), 0, blob.size);
    return bundle::read_verified(*bytes, blob);
  }

  std::unique_ptr<io::Source> open_blob(const image::Descriptor& wanted, std::uint64_t offset) override {
    const bundle::Blob& blob = m_blobs.find(wanted);
    if (offset > blob.size)
      throw diag::InternalError(fmt::format("{} has no byte {}", blob.digest.str(), offset));
    return source(m_tree.blobs.at(blob.digest), offset, blob.size);
  }

 private:
  // One byte more than it should have: a file that grew is longer than declared, not cut to fit.
  std::unique_ptr<io::Source> source(const std::string& file, std::uint64_t offset,
                                     std::uint64_t size) const {
    return std::make_unique<io::FileRangeSource>(
        std::make_shared<const io::File>(m_tree.top->open_file(file)), offset, size + 1 - offset);
  }

  const TreeInspection m_tree;
  const bundle::BlobLookup m_blobs;
  std::vector<bundle::BrokenImage> m_broken;
};

}  // namespace

std::unique_ptr<bundle::BundleReader> open_tree(TreeInspection tree) {
  if (!tree.findings.empty()) bundle::throw_first(tree.findings, tree.path);
  return std::make_unique<TreeReader>(std::move(tree));
}

bundle::BundleInfo info_of_whole(TreeInspection tree) {
  std::vector<bundle::Finding> findings = std::move(tree.findings);
  for (BrokenImage& broken : tree.broken) std::ranges::move(broken.findings, std::back_inserter(findings));
  if (!findings.empty()) bundle::throw_first(findings, tree.path);
  return std::move(tree.info);
}

}  // namespace airgap::skopeo_tree
