#include "bundle-format/volumes/volumes_left.hpp"

#include <algorithm>

#include "bundle-format/archive/archive_head.hpp"
#include "bundle-format/archive/archive_place.hpp"
#include "bundle-format/archive/partial_archive.hpp"
#include "bundle-format/earlier_bundle.hpp"
#include "bundle-format/metadata/limits.hpp"
#include "common/diag/error.hpp"
#include "common/hash/verifying_source.hpp"
#include "common/image/manifest.hpp"

namespace airgap::bundle {
namespace {

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

/// Takes the volumes of one set together.
class SetReader {
 public:
  explicit SetReader(const io::Directory& directory) : m_directory(directory) {}

  /// The first good one says which set it is.
  void add(const std::string& name, std::size_t number, bool named) {
    auto read = read_volume(m_directory, name);
    if (!read || read->info.number != number) return;
    if (!m_set.info) {
      MetadataCheck check = check_metadata(read->head.by_name());
      if (!check.trusted || !check.findings.empty()) return;
      m_set.info = std::move(check.info);
      m_set.metadata = read->head.files;
    } else if (m_set.metadata != read->head.files) {
      return;
    }
    const std::uint64_t mtime = created_seconds(m_set.info->created);
    if (read->head.mtime != mtime) return;
    LeftVolume volume{.file = name,
                      .named = named,
                      .length = read->file->size(),
                      .layout = VolumeLayout(members_of(m_set.metadata), std::move(read->info), mtime),
                      .parts = {}};
    if (volume.layout.json() != *read->head.volume) return;
    const auto& parts = volume.layout.info().parts;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      volume.parts.push_back(member_state(*read->file, volume.length, volume.layout.place_of(i),
                                          volume.layout.header_of(i), parts[i].digest));
    }
    m_set.volumes.insert_or_assign(number, std::move(volume));
  }

  bool has(std::size_t number) const { return m_set.volumes.contains(number); }

  LeftSet finish() {
    for (const auto& [number, volume] : m_set.volumes) {
      const auto& parts = volume.layout.info().parts;
      for (std::size_t i = 0; i < parts.size(); ++i) m_set.index[parts[i].digest].push_back({number, i});
    }
    return std::move(m_set);
  }

 private:
  const io::Directory& m_directory;
  LeftSet m_set;
};

}  // namespace

bool LeftVolume::whole() const {
  return length == layout.length() && std::ranges::all_of(parts, &BlobState::whole);
}

bool LeftSet::whole() const {
  if (!info || volumes.empty()) return false;
  const std::size_t count = volumes.begin()->second.layout.info().count;
  if (volumes.size() != count || volumes.rbegin()->first != count) return false;
  return std::ranges::all_of(volumes, [](const auto& entry) { return entry.second.whole(); });
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

VolumesLeft volumes_left(const io::Directory& directory, const VolumeNames& names, bool replace) {
  std::map<std::size_t, std::string> named;
  std::map<std::size_t, std::string> partial;
  VolumesLeft left;
  std::map<std::size_t, SetReader> replaced;
  for (const io::Entry& entry : directory.list()) {
    const auto parsed = names.parse(entry.name);
    if (!parsed) continue;
    if (parsed->generation != 0) {
      replaced.try_emplace(parsed->generation, directory)
          .first->second.add(entry.name, parsed->number, false);
    } else {
      (parsed->partial ? partial : named).emplace(parsed->number, entry.name);
    }
  }
  if (!replace || (partial.empty() && replaced.empty())) {
    SetReader reader(directory);
    for (const auto& [number, file] : named) reader.add(file, number, true);
    left.current = reader.finish();
    left.finished = left.current.whole() && left.current.volumes.size() == named.size();
    if (left.finished) return left;
  }
  for (auto& [generation, reader] : replaced) left.replaced.emplace(generation, reader.finish());
  // Partial ones first: they say which set it is. The named ones are of that set only where a run ended while
  // it gave the names.
  SetReader reader(directory);
  for (const auto& [number, file] : partial) {
    reader.add(file, number, false);
    if (!reader.has(number) && !is_unfinished_bundle(directory.open_file(file))) left.strange.push_back(file);
  }
  const bool begun = !partial.empty() || !replaced.empty();
  for (const auto& [number, file] : named) {
    if (begun && !partial.contains(number)) reader.add(file, number, true);
    if (partial.contains(number) || !reader.has(number)) left.others.push_back(file);
  }
  left.current = reader.finish();
  return left;
}

}  // namespace airgap::bundle
