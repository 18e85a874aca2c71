#include "bundle-format/bundle_reader.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "bundle-format/blame.hpp"
#include "bundle-format/blob_lookup.hpp"
#include "bundle-format/inspection.hpp"
#include "bundle-format/left_out.hpp"
#include "bundle-format/skopeo_tree/tree_reader.hpp"
#include "bundle-format/tree_at.hpp"
#include "common/text/listed.hpp"

namespace airgap::bundle {
namespace {

/// A bundle on a medium, once its inspection has found nothing, or nothing about the images that are left.
class InPlaceReader : public BundleReader {
 public:
  InPlaceReader(Inspection inspection, std::string path, LeftOut left_out)
      : m_inspection(without_list(std::move(inspection))),
        m_path(std::move(path)),
        m_left_out(std::move(left_out)),
        m_blobs(*m_inspection.info) {}

  const BundleInfo& info() const override { return *m_inspection.info; }
  std::string form() const override { return m_inspection.form; }
  const std::vector<BrokenImage>& broken() const override { return m_left_out.images; }
  const std::optional<diag::Error>& other_damage() const override { return m_left_out.others; }

  std::string read_manifest(const image::Descriptor& wanted) override {
    const Blob& blob = m_blobs.find(wanted);
    try {
      const auto bytes = m_inspection.blob_bytes(blob, 0);
      return read_verified(*bytes, blob);
    } catch (const diag::IntegrityError&) {
      if (m_left_out.images.empty()) refuse_damaged_manifests();
      throw;
    }
  }

  std::unique_ptr<io::Source> open_blob(const image::Descriptor& wanted, std::uint64_t offset) override {
    const Blob& blob = m_blobs.find(wanted);
    if (offset > blob.stored_size)
      throw diag::InternalError(fmt::format("{} has no byte {}", blob.digest.str(), offset));
    return m_inspection.blob_bytes(blob, offset);
  }

 private:
  /// All blobs are readable, so the list of them says nothing that info does not.
  static Inspection without_list(Inspection inspection) {
    inspection.findings.clear();
    inspection.readable = {};
    return inspection;
  }

  void refuse_damaged_manifests() const {
    Inspection bundle = m_inspection;
    bundle.readable = bundle.info->blobs;
    if (find_damaged_manifests(bundle)) refuse_damaged(bundle, m_path);
  }

  const Inspection m_inspection;
  const std::string m_path;
  const LeftOut m_left_out;
  const BlobLookup m_blobs;
};

/// "volume 2 of 6, volume 3 of 6 are missing; volume 4 of 6: v.004.tar is there, but its head is damaged"
std::string listed(const std::vector<MissingVolume>& volumes) {
  std::vector<std::string> parts;
  std::vector<std::string> absent;
  for (const MissingVolume& volume : volumes) {
    if (volume.instead.empty()) {
      absent.push_back(volume.name);
    } else {
      parts.push_back(fmt::format("{}: {}", volume.name, volume.instead));
    }
  }
  if (!absent.empty())
    parts.insert(parts.begin(),
                 fmt::format("{} {} missing", fmt::join(absent, ", "), absent.size() == 1 ? "is" : "are"));
  return fmt::format("{}", fmt::join(parts, "; "));
}

/// Says which images the missing volumes touch, which takes the manifests of those that are there.
[[noreturn]] void throw_missing(Inspection& inspection, const std::string& where) {
  const std::vector<MissingVolume>& volumes = inspection.missing_volumes;
  const bool all_damaged =
      std::ranges::none_of(volumes, [](const MissingVolume& volume) { return volume.instead.empty(); });
  throw MissingVolumes(fmt::format("{}: {}; without {} these images are not whole: {}", where,
                                   listed(volumes), volumes.size() == 1 ? "it" : "them",
                                   text::listed(blame(inspection, {}, inspection.findings))),
                       all_damaged ? inspection.findings.front().hint
                                   : "put them beside the others, or name the folders that they are in, too");
}

std::string joined(const std::vector<std::string>& paths) {
  return fmt::format("{}", fmt::join(paths, ", "));
}

/// `left_out`, where it is not null, takes what damage of single blobs touches.
Inspection whole(const std::vector<std::string>& paths, Depth depth, LeftOut* left_out = nullptr) {
  Inspection inspection = inspect(paths, depth);
  const std::size_t missing = inspection.missing_volumes.size();
  if (missing > 0 && inspection.findings.size() == missing) throw_missing(inspection, joined(paths));
  if (left_out != nullptr && missing == 0) {
    *left_out = leave_out_damaged(inspection, joined(paths));
  } else if (!inspection.findings.empty()) {
    if (depth == Depth::metadata) throw_first(inspection.findings, joined(paths));
    find_damaged_manifests(inspection);
    refuse_damaged(inspection, joined(paths));
  }
  if (!inspection.info) throw diag::InternalError(joined(paths) + " has neither contents nor findings");
  return inspection;
}

}  // namespace

std::unique_ptr<BundleReader> open_bundle(const std::vector<std::string>& paths, Damaged damaged) {
  if (auto tree = tree_at(paths)) return skopeo_tree::open_tree(std::move(*tree));
  LeftOut left_out;
  Inspection inspection = whole(paths, Depth::files, damaged == Damaged::left_out ? &left_out : nullptr);
  return std::make_unique<InPlaceReader>(std::move(inspection), joined(paths), std::move(left_out));
}

BundleInfo read_info(const std::vector<std::string>& paths) {
  if (auto tree = tree_at(paths)) return skopeo_tree::info_of_whole(std::move(*tree));
  return std::move(*whole(paths, Depth::metadata).info);
}

}  // namespace airgap::bundle
