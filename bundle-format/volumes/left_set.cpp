#include "bundle-format/volumes/left_set.hpp"

#include <algorithm>

#include "bundle-format/archive/archive_head.hpp"
#include "bundle-format/archive/partial_archive.hpp"
#include "bundle-format/earlier_bundle.hpp"
#include "bundle-format/metadata/limits.hpp"
#include "bundle-format/volumes/tiling.hpp"
#include "common/diag/error.hpp"
#include "common/image/manifest.hpp"

namespace airgap::bundle {
namespace {

using Layouts = std::map<std::size_t, const VolumeInfo*>;  ///< by number

Layouts layouts_of(const LeftSet& set) {
  Layouts layouts;
  for (const auto& [number, volume] : set.volumes) layouts.emplace(number, &volume.layout.info());
  return layouts;
}

/// Whether volumes that say they are of one bundle can be: two sets of the same bundle are cut in different
/// ways, and nothing else tells them apart.
bool tiles(const BundleInfo& info, const Layouts& volumes) {
  const std::size_t count = volumes.begin()->second->count;
  try {
    Tiling tiling(info);
    for (const auto& [number, volume] : volumes) {
      if (volume->count != count || number > count) return false;
      tiling.add(*volume);
    }
    tiling.finish(count);
    return true;
  } catch (const diag::UnsafeError&) {
    return false;
  }
}

struct ReadVolume {
  ArchiveHead head;
  VolumeInfo info;
  std::shared_ptr<const io::File> file;
};

// What cannot be read is not there: it is written anew.
std::optional<ReadVolume> read_volume(const io::Directory& directory, const std::string& name) {
  try {
    auto file = std::make_shared<const io::File>(directory.open_file(name));
    io::FileRangeSource bytes(file, 0, file->size());
    ExactReader reader(bytes);
    ArchiveHead head = read_archive_head(reader);
    if (!head.volume) return std::nullopt;
    VolumeInfo info = parse_volume_json(*head.volume);
    return ReadVolume{std::move(head), std::move(info), std::move(file)};
  } catch (const diag::IntegrityError&) {
  } catch (const diag::UnsafeError&) {
  } catch (const diag::UsageError&) {
  }
  return std::nullopt;
}

/// Takes the volume into the set, unless it is of another; the first good one says which set it is.
void take(LeftSet& set, const io::Directory& directory, const std::string& name, std::size_t number,
          bool named) {
  auto read = read_volume(directory, name);
  if (!read || read->info.number != number) return;
  if (!set.info) {
    MetadataCheck check = check_metadata(read->head.by_name());
    if (!check.trusted || !check.findings.empty()) return;
    set.info = std::move(check.info);
    set.metadata = read->head.files;
  } else if (set.metadata != read->head.files) {
    return;
  }
  const std::uint64_t mtime = created_seconds(set.info->created);
  if (read->head.mtime != mtime) return;
  LeftVolume volume{.file = name,
                    .named = named,
                    .length = read->file->size(),
                    .layout = VolumeLayout(members_of(set.metadata), std::move(read->info), mtime),
                    .parts = {}};
  if (volume.layout.json() != *read->head.volume) return;
  const auto& parts = volume.layout.info().parts;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    volume.parts.push_back(member_state(*read->file, volume.length, volume.layout.place_of(i),
                                        volume.layout.header_of(i), parts[i].digest));
  }
  set.volumes.insert_or_assign(number, std::move(volume));
}

}  // namespace

bool LeftVolume::whole() const {
  return length == layout.length() && std::ranges::all_of(parts, &BlobState::whole);
}

bool LeftSet::whole() const {
  if (!info || volumes.empty()) return false;
  const std::size_t count = volumes.begin()->second.layout.info().count;
  if (volumes.size() != count || volumes.rbegin()->first != count) return false;
  return tiles(*info, layouts_of(*this)) &&
         std::ranges::all_of(volumes, [](const auto& entry) { return entry.second.whole(); });
}

bool LeftSet::join(const LeftSet& other) {
  if (!info || !other.info || metadata != other.metadata) return false;
  auto both = layouts_of(*this);
  both.merge(layouts_of(other));
  if (both.size() != volumes.size() + other.volumes.size() || !tiles(*info, both)) return false;
  volumes.insert(other.volumes.begin(), other.volumes.end());
  index_parts();
  return true;
}

void LeftSet::index_parts() {
  index.clear();
  for (const auto& [number, volume] : volumes) {
    const auto& parts = volume.layout.info().parts;
    for (std::size_t i = 0; i < parts.size(); ++i) index[parts[i].digest].push_back({number, i});
  }
}

std::vector<PartIndex> LeftSet::parts_of(const hash::Digest& digest) const {
  const auto found = index.find(digest);
  return found == index.end() ? std::vector<PartIndex>{} : found->second;
}

bool LeftSet::has(const Blob& blob) const {
  std::uint64_t there = 0;
  const auto parts = parts_of(blob.digest);
  for (const PartIndex at : parts) {
    const LeftVolume& volume = volumes.at(at.volume);
    const Part& part = volume.layout.info().parts[at.part];
    if (!volume.parts[at.part].whole || part.offset != there) return false;
    there += part.size;
  }
  return !parts.empty() && there == blob.stored_size;
}

std::uint64_t LeftSet::partial_bytes(const Blob& blob) const {
  std::uint64_t there = 0;
  for (const PartIndex at : parts_of(blob.digest)) {
    const LeftVolume& volume = volumes.at(at.volume);
    if (volume.layout.info().parts[at.part].offset != there) break;
    there += volume.parts[at.part].bytes;
  }
  return std::min(there, blob.stored_size);
}

std::unique_ptr<io::Source> LeftSet::open(const io::Directory& directory, const Blob& blob,
                                          std::uint64_t offset) const {
  std::vector<Stretch> stretches;
  for (const PartIndex at : parts_of(blob.digest)) {
    const tar::Place& place = volumes.at(at.volume).layout.place_of(at.part);
    stretches.push_back({at.volume, place.data, place.size});
  }
  const auto open = [this, &directory](std::size_t volume) {
    return std::make_shared<const io::File>(directory.open_file(volumes.at(volume).file));
  };
  return std::make_unique<PiecesSource>(open, without_front(std::move(stretches), offset));
}

std::optional<std::string> LeftSet::manifest(const io::Directory& directory,
                                             const hash::Digest& digest) const {
  if (!info) return std::nullopt;
  const auto blob = std::ranges::find(info->blobs, digest, &Blob::digest);
  if (blob == info->blobs.end() || blob->kind != BlobKind::manifest || !has(*blob)) return std::nullopt;
  try {
    const auto bytes = open(directory, *blob, 0);
    return verified_manifest(io::read_all(*bytes, image::k_max_manifest, "manifest"), digest);
  } catch (const diag::IntegrityError&) {
    return std::nullopt;
  }
}

void LeftSet::forget(const io::Directory& directory, const hash::Digest& digest) const {
  for (const PartIndex at : parts_of(digest)) {
    const LeftVolume& volume = volumes.at(at.volume);
    const io::File file = directory.open_for_update(volume.file);
    FileBytes bytes(file);
    write_zeros(bytes, volume.layout.place_of(at.part).header, tar::k_block);
    file.sync();
  }
}

LeftSet read_left_set(const io::Directory& directory, const std::map<std::size_t, std::string>& files,
                      bool named) {
  LeftSet set;
  for (const auto& [number, file] : files) take(set, directory, file, number, named);
  if (set.volumes.empty()) return {};
  set.index_parts();
  return set;
}

}  // namespace airgap::bundle
