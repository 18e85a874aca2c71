#include "bundle-format/volumes/volumes_place.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "common/diag/error.hpp"
#include "common/io/file_lock.hpp"
#include "common/text/human_size.hpp"

namespace airgap::bundle {

VolumesPlace::VolumesPlace(const std::string& path, std::uint64_t size, bool overwrite)
    : volume_size(size),
      where(path),
      names(where.name),
      left(volumes_left(where.directory, names, overwrite)) {
  std::uint64_t largest = 0;
  for (const auto& [number, volume] : left.finished.volumes) largest = std::max(largest, volume.length);
  fits = largest <= volume_size;
  if (overwrite) {
    fits = fits && !makes_fewer();
    return;
  }
  refuse_to_replace_others();
  if (!fits)
    throw diag::UsageError(fmt::format("the volumes of {} are there already, of up to {} ({} bytes), and "
                                       "at most {} bytes are asked for",
                                       path, text::human_size(largest), largest, volume_size),
                           "--overwrite cuts them anew from what they hold; or choose another name");
}

void VolumesPlace::refuse_to_replace_others() const {
  if (!left.strange.empty())
    throw diag::UsageError(fmt::format("{} is there already and is no unfinished volume",
                                       where.directory.path_of(left.strange.front())),
                           "move it away, choose another name, or --overwrite");
  if (left.others.empty()) return;
  const bool begun = left.begun.info || !left.replaced.empty();
  throw diag::UsageError(fmt::format("volumes of {} are there already, {} among them, {}",
                                     where.directory.path_of(where.name), left.others.front(),
                                     left.finished.info ? "and are not of the bundle that is finished"
                                     : begun            ? "and are not of the bundle that was begun"
                                                        : "and are no whole bundle"),
                         "see what 'verify' says about them; choose another name, or --overwrite");
}

bool VolumesPlace::makes_fewer() const {
  const LeftSet& set = left.finished;
  return set.info && plan_volumes(set.metadata, *set.info, volume_size).volumes.size() < set.volumes.size();
}

bool VolumesPlace::has(const Blob& blob) const {
  return left.finished.has(blob) || left.begun.has(blob) ||
         std::ranges::any_of(left.replaced,
                             [&](const auto& generation) { return generation.second.has(blob); });
}

std::uint64_t VolumesPlace::partial_bytes(const Blob& blob) const {
  return std::max(left.finished.partial_bytes(blob), unfinished_bytes(blob));
}

std::uint64_t VolumesPlace::unfinished_bytes(const Blob& blob) const {
  std::uint64_t bytes = left.begun.partial_bytes(blob);
  for (const auto& [generation, set] : left.replaced) bytes = std::max(bytes, set.partial_bytes(blob));
  return bytes;
}

const BundleInfo* VolumesPlace::replacement() const {
  return left.finished.info && left.begun.info ? &*left.begun.info : nullptr;
}

std::optional<LeftFiles> VolumesPlace::unfinished() const {
  LeftFiles files;
  for (const io::Entry& entry : where.directory.list()) {
    const auto volume = names.parse(entry.name);
    if (volume && (volume->partial || volume->generation != 0))
      files.add(where.directory.path_of(entry.name), entry.size);
  }
  if (files.files == 0) return std::nullopt;
  return files;
}

const std::optional<BundleInfo>& VolumesPlace::info() const {
  if (left.finished.info) return left.finished.info;
  if (left.begun.info) return left.begun.info;
  for (const auto& [generation, set] : std::views::reverse(left.replaced)) {
    if (set.info) return set.info;
  }
  return left.begun.info;
}

bool VolumesPlace::goes_on_as(const VolumePlan& plan) const {
  const LeftSet& set = left.begun;
  return set.metadata == plan.metadata && std::ranges::all_of(set.volumes, [&](const auto& volume) {
           return volume.first <= plan.volumes.size() &&
                  volume.second.layout.json() == plan.volumes[volume.first - 1].json();
         });
}

// A volume goes away when the first blob of a later one is read: what was read of it, and the blob that
// reaches out of it, is there twice until then.
std::uint64_t VolumesPlace::doubled_bytes(const Contents& wanted) const {
  const auto doubled = [](const LeftSet& set) {
    std::uint64_t held = 0;
    std::uint64_t largest_blob = 0;
    std::uint64_t largest_volume = 0;
    for (const Blob& blob : set.info->blobs) {
      const std::uint64_t bytes = set.partial_bytes(blob);
      held += bytes;
      largest_blob = std::max(largest_blob, bytes);
    }
    for (const auto& [number, volume] : set.volumes) largest_volume = std::max(largest_volume, volume.length);
    return std::min(held, largest_volume + largest_blob);
  };
  std::uint64_t most = 0;
  for (const auto& [generation, set] : left.replaced) {
    if (set.info) most = std::max(most, doubled(set));
  }
  if (!left.begun.info) return most;
  const bool goes_on = goes_on_as(plan_volumes(metadata_files(wanted), wanted.info, volume_size));
  return goes_on ? most : std::max(most, doubled(left.begun));
}

// Those of another plan go away on the way.
std::uint64_t VolumesPlace::occupied_bytes(std::uint64_t length) const {
  std::uint64_t bytes = 0;
  const auto add = [&](const LeftSet& set) {
    for (const auto& [number, volume] : set.volumes)
      bytes += where.directory.open_file(volume.file).occupied(volume.length);
  };
  add(left.begun);
  for (const auto& [generation, set] : left.replaced) add(set);
  return std::min(bytes, length);
}

std::optional<std::string> VolumesPlace::manifest(const hash::Digest& digest) const {
  for (const LeftSet* set : {&left.finished, &left.begun}) {
    if (auto bytes = set->manifest(where.directory, digest)) return bytes;
  }
  for (const auto& [generation, set] : left.replaced) {
    if (auto bytes = set.manifest(where.directory, digest)) return bytes;
  }
  return std::nullopt;
}

namespace {

class LookedAtVolumes final : public BundlePlace {
 public:
  LookedAtVolumes(const std::string& path, std::uint64_t volume_size, bool overwrite)
      : m_place(path, volume_size, overwrite) {}

  const std::optional<BundleInfo>& existing() const override { return m_place.info(); }
  bool finished() const override { return m_place.left.finished.info.has_value(); }
  std::optional<std::string> existing_manifest(const hash::Digest& digest) const override {
    return m_place.manifest(digest);
  }
  bool has_blob(const Blob& blob) const override { return m_place.has(blob); }
  std::uint64_t partial_bytes(const Blob& blob) const override { return m_place.partial_bytes(blob); }
  std::uint64_t doubled_bytes(const Contents& wanted) const override { return m_place.doubled_bytes(wanted); }
  std::uint64_t occupied_bytes(const Contents&, std::uint64_t length) const override {
    return m_place.occupied_bytes(length);
  }
  bool fits() const override { return m_place.fits; }
  std::size_t finished_volumes() const override { return m_place.left.finished.volumes.size(); }
  const BundleInfo* begun() const override { return m_place.replacement(); }
  std::optional<LeftFiles> left_beside() const override {
    if (io::is_locked(m_place.where.directory.path_of(m_place.names.lock()))) return std::nullopt;
    return m_place.unfinished();
  }

 private:
  VolumesPlace m_place;
};

}  // namespace

std::unique_ptr<BundlePlace> look_at_volumes(const std::string& path, std::uint64_t volume_size,
                                             bool overwrite) {
  return std::make_unique<LookedAtVolumes>(path, volume_size, overwrite);
}

}  // namespace airgap::bundle
