#include "bundle-format/volumes/incomplete_set.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "bundle-format/volumes/inspect_volumes.hpp"
#include "common/text/escape.hpp"

namespace airgap::bundle {
namespace {

std::set<hash::Digest> lost_with(const std::vector<MissingVolume>& volumes) {
  std::set<hash::Digest> lost;
  for (const MissingVolume& volume : volumes) lost.insert(volume.blobs.begin(), volume.blobs.end());
  return lost;
}

/// Damage that no image has anything of.
std::vector<MissingVolume> damaged_without_loss(const std::vector<MissingVolume>& volumes) {
  std::vector<MissingVolume> harmless;
  std::ranges::copy_if(volumes, std::back_inserter(harmless), [](const MissingVolume& volume) {
    return volume.blobs.empty() && !volume.instead.empty();
  });
  return harmless;
}

/// Without its manifests an image is as damaged as with wrong ones; what else is lost the registry may have.
void keep_to_manifests(Inspection& inspection, const std::vector<MissingVolume>& volumes) {
  const std::set<hash::Digest> lost = lost_with(volumes);
  const auto is_lost = [&](const Blob& blob) { return lost.contains(blob.digest); };
  std::set<hash::Digest> manifests;
  for (const Blob& blob : inspection.info->blobs) {
    if (blob.kind == BlobKind::manifest && is_lost(blob)) manifests.insert(blob.digest);
  }
  std::erase_if(inspection.readable, is_lost);
  inspection.findings.clear();
  for (MissingVolume volume : volumes) {
    std::erase_if(volume.blobs, [&](const hash::Digest& blob) { return !manifests.contains(blob); });
    if (!volume.blobs.empty()) inspection.findings.push_back(finding_of(volume));
  }
}

}  // namespace

IncompleteSet::IncompleteSet(Inspection inspection, std::string where, LeftOut left_out,
                             std::vector<MissingVolume> missing)
    : InPlaceReader(std::move(inspection), where, std::move(left_out)),
      m_where(std::move(where)),
      m_missing(std::move(missing)),
      m_lost(lost_with(m_missing)) {}

MissingVolumes IncompleteSet::missing(const std::vector<hash::Digest>& blobs,
                                      const std::vector<std::string>& images) const {
  std::vector<MissingVolume> volumes;
  for (const MissingVolume& volume : m_missing) {
    if (std::ranges::find_first_of(volume.blobs, blobs) != volume.blobs.end()) volumes.push_back(volume);
  }
  return {m_where, volumes, images};
}

std::unique_ptr<io::Source> IncompleteSet::open_blob(const image::Descriptor& wanted, std::uint64_t offset) {
  if (m_lost.contains(wanted.digest)) throw missing({wanted.digest}, {});
  return InPlaceReader::open_blob(wanted, offset);
}

std::unique_ptr<IncompleteSet> open_incomplete_set(const std::vector<std::string>& paths) {
  const std::string where = fmt::format("{}", fmt::join(paths, ", "));
  const auto set = find_volumes(paths);
  if (!set) throw diag::StorageError(text::escape(where) + ": the volumes that were there are gone");
  Inspection inspection = inspect_volumes(*set, Depth::files);
  if (inspection.findings.size() != inspection.volume_findings) throw_first(inspection.findings, where);
  std::vector<MissingVolume> missing = std::move(inspection.missing_volumes);
  keep_to_manifests(inspection, missing);
  LeftOut left_out = leave_out_damaged(inspection, where);
  if (const auto harmless = damaged_without_loss(missing); !harmless.empty())
    left_out.others = MissingVolumes(where, harmless, {});
  return std::make_unique<IncompleteSet>(std::move(inspection), where, std::move(left_out),
                                         std::move(missing));
}

}  // namespace airgap::bundle
