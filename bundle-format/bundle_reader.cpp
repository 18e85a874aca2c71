#include "bundle-format/bundle_reader.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstddef>
#include <set>

#include "bundle-format/blame.hpp"
#include "bundle-format/in_place_reader.hpp"
#include "bundle-format/inspection.hpp"
#include "bundle-format/left_out.hpp"
#include "bundle-format/skopeo_tree/tree_reader.hpp"
#include "bundle-format/tree_at.hpp"
#include "bundle-format/volumes/missing_volumes.hpp"
#include "common/text/escape.hpp"

namespace airgap::bundle {
namespace {

/// Safe to print.
std::string joined(const std::vector<std::string>& paths) {
  std::vector<std::string> safe;
  for (const std::string& path : paths) safe.push_back(text::escape(path));
  return fmt::format("{}", fmt::join(safe, ", "));
}

/// The images that need something of the missing volumes; the manifests of those that are there are read.
std::vector<std::string> touched_by_missing(const Inspection& inspection) {
  std::vector<Finding> missing;
  for (const MissingVolume& volume : inspection.missing_volumes) {
    if (!volume.blobs.empty()) missing.push_back(finding_of(volume));
  }
  std::vector<Finding> unread = inspection.findings;
  unread.insert(unread.end(), missing.begin(), missing.end());
  return blame(inspection, unread, missing);
}

/// What those volumes hold is not looked at: another copy of them may be whole.
void forget_missing(Inspection& inspection) {
  std::set<hash::Digest> lost;
  for (const MissingVolume& volume : inspection.missing_volumes)
    lost.insert(volume.blobs.begin(), volume.blobs.end());
  std::erase_if(inspection.readable, [&](const Blob& blob) { return lost.contains(blob.digest); });
}

/// Manifests that are damaged come first: no volume that is brought mends them.
[[noreturn]] void throw_missing(Inspection& inspection, const std::string& where, bool leaving_out) {
  forget_missing(inspection);
  const auto of_volumes = static_cast<std::ptrdiff_t>(inspection.findings.size());
  if (find_damaged_manifests(inspection) && !leaving_out) {
    std::ranges::rotate(inspection.findings, inspection.findings.begin() + of_volumes);
    refuse_damaged(inspection, where);
  }
  throw MissingVolumes(where, inspection.missing_volumes, touched_by_missing(inspection));
}

/// `left_out`, where it is not null, takes what damage of single blobs touches.
Inspection whole(const std::vector<std::string>& paths, Depth depth, LeftOut* left_out = nullptr) {
  Inspection inspection = inspect(paths, depth);
  const bool missing = !inspection.missing_volumes.empty();
  if (missing && inspection.findings.size() == inspection.volume_findings)
    throw_missing(inspection, joined(paths), left_out != nullptr);
  if (left_out != nullptr && !missing) {
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
