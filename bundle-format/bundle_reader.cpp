#include "bundle-format/bundle_reader.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>

#include "bundle-format/blame.hpp"
#include "bundle-format/blob_lookup.hpp"
#include "bundle-format/inspection.hpp"
#include "bundle-format/skopeo_tree/tree_reader.hpp"
#include "common/text/listed.hpp"

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

std::vector<std::string> names_of(const std::vector<Finding>& findings) {
  std::vector<std::string> names;
  names.reserve(findings.size());
  for (const Finding& finding : findings) names.push_back(finding.file);
  return names;
}

/// Says which images the missing volumes touch, which takes the manifests of those that are there.
[[noreturn]] void throw_missing(Inspection& inspection, const std::string& where) {
  const std::size_t count = inspection.missing_volumes.size();
  const std::string missing =
      fmt::format("{} {} missing", fmt::join(names_of(inspection.findings), ", "), count == 1 ? "is" : "are");
  throw MissingVolumes(
      fmt::format("{}: {}; without {} these images are not whole: {}", where, missing,
                  count == 1 ? "it" : "them", text::listed(blame(inspection, {}, inspection.findings))),
      "put them beside the others, or name the folders that they are in, too");
}

std::string joined(const std::vector<std::string>& paths) {
  return fmt::format("{}", fmt::join(paths, ", "));
}

Inspection whole(const std::vector<std::string>& paths, Depth depth) {
  Inspection inspection = inspect(paths, depth);
  const std::size_t missing = inspection.missing_volumes.size();
  if (missing > 0 && inspection.findings.size() == missing) throw_missing(inspection, joined(paths));
  if (!inspection.findings.empty()) throw_first(inspection.findings, joined(paths));
  if (!inspection.info) throw diag::InternalError(joined(paths) + " has neither contents nor findings");
  return inspection;
}

std::optional<skopeo_tree::TreeInspection> tree_at(const std::vector<std::string>& paths) {
  if (paths.size() != 1) return std::nullopt;
  return skopeo_tree::inspect_tree(paths.front());
}

}  // namespace

std::unique_ptr<BundleReader> open_bundle(const std::vector<std::string>& paths) {
  if (auto tree = tree_at(paths)) return skopeo_tree::open_tree(std::move(*tree));
  Inspection inspection = whole(paths, Depth::files);
  return std::make_unique<InPlaceReader>(std::move(*inspection.info), std::move(inspection.form),
                                         std::move(inspection.blob_bytes));
}

BundleInfo read_info(const std::vector<std::string>& paths) {
  if (auto tree = tree_at(paths)) return skopeo_tree::info_of_whole(std::move(*tree));
  return std::move(*whole(paths, Depth::metadata).info);
}

}  // namespace airgap::bundle
