#include "bundle-format/bundle_reader.hpp"

#include <fmt/format.h>

#include "bundle-format/blob_lookup.hpp"
#include "bundle-format/inspection.hpp"
#include "bundle-format/skopeo_tree/tree_reader.hpp"

namespace airgap::bundle {
namespace {

/// A bundle on a medium, once its inspection has found nothing.
class InPlaceReader : public BundleReader {
 public:
  InPlaceReader(BundleInfo info, std::string form, BlobBytes blob_bytes)
      : m_info(std::move(info)),
        m_form(std::move(form)),
        m_blob_bytes(std::move(blob_bytes)),
        m_blobs(m_info) {}

  const BundleInfo& info() const override { return m_info; }
  std::string form() const override { return m_form; }

  std::string read_manifest(const image::Descriptor& wanted) override {
    const Blob& blob = m_blobs.find(wanted);
    const auto bytes = m_blob_bytes(blob, 0);
    return read_verified(*bytes, blob);
  }

  std::unique_ptr<io::Source> open_blob(const image::Descriptor& wanted, std::uint64_t offset) override {
    const Blob& blob = m_blobs.find(wanted);
    if (offset > blob.stored_size)
      throw diag::InternalError(fmt::format("{} has no byte {}", blob.digest.str(), offset));
    return m_blob_bytes(blob, offset);
  }

 private:
  const BundleInfo m_info;
  const std::string m_form;
  const BlobBytes m_blob_bytes;
  const BlobLookup m_blobs;
};

Inspection whole(const std::string& path, Depth depth) {
  Inspection inspection = inspect(path, depth);
  if (!inspection.findings.empty()) throw_first(inspection.findings, path);
  if (!inspection.info) throw diag::InternalError(path + " has neither contents nor findings");
  return inspection;
}

}  // namespace

std::unique_ptr<BundleReader> open_bundle(const std::string& path) {
  if (auto tree = skopeo_tree::inspect_tree(path)) return skopeo_tree::open_tree(std::move(*tree));
  Inspection inspection = whole(path, Depth::files);
  return std::make_unique<InPlaceReader>(std::move(*inspection.info), std::move(inspection.form),
                                         std::move(inspection.blob_bytes));
}

BundleInfo read_info(const std::string& path) {
  if (auto tree = skopeo_tree::inspect_tree(path)) return skopeo_tree::info_of_whole(std::move(*tree));
  return std::move(*whole(path, Depth::metadata).info);
}

}  // namespace airgap::bundle
