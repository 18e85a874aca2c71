#include "bundle-format/volumes/volume_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <set>

#include "bundle-format/archive_place.hpp"
#include "bundle-format/earlier_bundle.hpp"
#include "bundle-format/volumes/inspect_volumes.hpp"
#include "bundle-format/volumes/parts_room.hpp"
#include "bundle-format/volumes/volume_files.hpp"
#include "bundle-format/volumes/volume_seal.hpp"
#include "bundle-format/volumes/volumes_left.hpp"
#include "common/diag/error.hpp"
#include "common/diag/log.hpp"
#include "common/task/guarded.hpp"

namespace airgap::bundle {
namespace {

constexpr std::uint64_t k_batch_bytes = std::uint64_t{256} << 20;

/// What lies there, as both the writer and a mere look see it.
class LeftPlace {
 public:
  LeftPlace(const std::string& path, bool overwrite)
      : where(path), names(where.name), left(volumes_left(where.directory, names)) {
    if (!left.unreadable) return;
    if (!overwrite)
      throw diag::UsageError(fmt::format("volumes of {} are there already, and are no whole bundle",
                                         where.directory.path_of(where.name)),
                             "see what 'verify' says about them; choose another name, or --overwrite");
    left.current = {};
  }

  bool has(const Blob& blob) const {
    return left.current.has(blob) || std::ranges::any_of(left.replaced, [&](const auto& generation) {
             return generation.second.has(blob);
           });
  }
  std::optional<std::string> manifest(const hash::Digest& digest) const {
    if (auto bytes = left.current.manifest(where.directory, digest)) return bytes;
    for (const auto& [generation, set] : left.replaced) {
      if (auto bytes = set.manifest(where.directory, digest)) return bytes;
    }
    return std::nullopt;
  }

  ArchiveName where;
  VolumeNames names;
  VolumesLeft left;
};

class VolumesPlace final : public BundlePlace {
 public:
  VolumesPlace(const std::string& path, bool overwrite) : m_place(path, overwrite) {}

  const std::optional<BundleInfo>& existing() const override { return m_place.left.current.info; }
  bool finished() const override { return m_place.left.finished; }
  std::optional<std::string> existing_manifest(const hash::Digest& digest) const override {
    return m_place.manifest(digest);
  }
  bool has_blob(const Blob& blob) const override { return m_place.has(blob); }
  std::uint64_t partial_bytes(const Blob& blob) const override {
    return m_place.left.current.partial_bytes(blob);
  }

 private:
  LeftPlace m_place;
};

class VolumeWriter final : public BundleWriter {
 public:
  VolumeWriter(const std::string& path, std::uint64_t volume_size, bool overwrite, std::stop_token stop)
      : m_path(path),
        m_volume_size(volume_size),
        m_overwrite(overwrite),
        m_stop(std::move(stop)),
        m_where(path),
        m_lock(m_where.directory, VolumeNames(m_where.name).lock()),
        m_place(path, overwrite),
        m_info(m_place.left.current.info) {}
  ~VolumeWriter() override {
    if (m_sync_failed)
      forget(m_progress.with([](Progress& progress) { return std::exchange(progress.batch, {}); }));
  }

  const std::optional<BundleInfo>& existing() const override { return m_info; }
  bool finished() const override { return m_place.left.finished; }
  std::optional<std::string> existing_manifest(const hash::Digest& digest) const override {
    return m_place.manifest(digest);
  }
  bool has_blob(const Blob& blob) const override {
    return m_plan ? bytes_there(blob).whole : m_place.has(blob);
  }
  std::uint64_t partial_bytes(const Blob& blob) const override {
    return m_plan ? bytes_there(blob).bytes : m_place.left.current.partial_bytes(blob);
  }

  void begin(Contents contents) override;
  void commit() override;
  std::vector<std::string> sealed_paths() const override;
  Inspection inspect_sealed() const override;
  void retract(const std::vector<hash::Digest>& damaged) override;

 private:
  void store_blob(const Blob& blob, const transport::BlobOpener& open,
                  transport::Observer& observer) override;
  struct Progress {
    std::vector<BlobState> blobs;                              ///< beside m_plan->blobs
    std::vector<std::size_t> left;                             ///< blobs of each volume that are not whole
    std::vector<bool> sealed;                                  ///< volumes
    std::vector<std::map<std::size_t, hash::Digest>> digests;  ///< of parts, by volume
    std::vector<std::size_t> batch;                            ///< blobs whose bytes are there, not synced
    std::uint64_t batch_bytes = 0;
  };

  BlobState bytes_there(const Blob& blob) const;
  bool holds_finished(const Contents& contents) const;
  void start(VolumePlan plan);
  void take_up(const LeftSet& left);
  void set_aside();
  void write_manifests(const Contents& contents);
  void take_over(const LeftSet& set, bool drop_files);
  void receive(std::size_t index, const transport::BlobOpener& open, transport::Observer& observer);
  std::vector<PartPlace> places_of(std::size_t blob);
  void add_to_batch(std::size_t index, std::vector<hash::Digest> digests);
  void publish_batch();
  void publish(const std::vector<std::size_t>& batch);
  void write_headers(const std::vector<std::size_t>& batch);
  void seal_whole(const std::vector<std::size_t>& batch);
  void seal(std::size_t volume);
  void name_volumes();
  void remove_left();
  std::vector<const VolumeLayout*> sealed_volumes() const;
  void forget(const std::vector<std::size_t>& blobs) noexcept;

  std::string m_path;
  std::uint64_t m_volume_size;
  bool m_overwrite;
  std::stop_token m_stop;
  ArchiveName m_where;
  PartialArchive m_lock;  ///< stays empty, so it goes with this object
  LeftPlace m_place;
  std::optional<BundleInfo> m_info;
  bool m_begun = false;
  bool m_unchanged = false;
  std::optional<VolumePlan> m_plan;
  std::optional<VolumeFiles> m_files;
  std::set<std::size_t> m_named;  ///< volumes, from 0, that have their final name since an earlier run
  /// A failed sync may have dropped any byte that was not stored yet (R123).
  std::atomic<bool> m_sync_failed = false;
  mutable task::Guarded<Progress> m_progress;
};

BlobState VolumeWriter::bytes_there(const Blob& blob) const {
  const auto found = m_plan->index.find(blob.digest);
  if (found == m_plan->index.end() || m_plan->blobs[found->second].size != blob.size) return {};
  return m_progress.with([&](const Progress& progress) { return progress.blobs[found->second]; });
}

bool VolumeWriter::holds_finished(const Contents& contents) const {
  const LeftSet& left = m_place.left.current;
  return m_place.left.finished &&
         holds_already(contents, *left.info, [&](const std::string& name) -> std::optional<std::string> {
           const auto found = std::ranges::find(left.metadata, name, &MetadataFile::name);
           if (found == left.metadata.end()) return std::nullopt;
           return found->bytes;
         });
}

void VolumeWriter::begin(Contents contents) {
  m_unchanged = holds_finished(contents);
  m_begun = true;
  if (m_unchanged) return;
  if (m_place.left.finished && !m_overwrite) refuse_to_replace(m_path);
  start(plan_volumes(metadata_files(contents), contents.info, m_volume_size));
  write_manifests(contents);
  for (const auto& [generation, set] : m_place.left.replaced) take_over(set, true);
  if (m_place.left.finished) take_over(m_place.left.current, false);
}

// Goes on with the files as an earlier run left them, or puts them where their blobs are taken over from.
void VolumeWriter::start(VolumePlan plan) {
  m_plan = std::move(plan);
  m_files.emplace(m_where.directory, m_place.names, *m_plan);
  m_progress.with([&](Progress& progress) {
    progress.blobs.assign(m_plan->blobs.size(), {});
    progress.left.assign(m_plan->volumes.size(), 0);
    for (const auto& parts : m_plan->parts) {
      for (const PartIndex at : parts) ++progress.left[at.volume];
    }
    progress.sealed.assign(m_plan->volumes.size(), false);
    progress.digests.assign(m_plan->volumes.size(), {});
  });
  const LeftSet& left = m_place.left.current;
  if (m_place.left.finished || !left.info) return;
  const auto same = [](const MetadataFile& a, const MetadataFile& b) {
    return a.name == b.name && a.bytes == b.bytes;
  };
  const bool goes_on = std::ranges::equal(left.metadata, m_plan->metadata, same) &&
                       std::ranges::all_of(left.volumes, [&](const auto& volume) {
                         return volume.first <= m_plan->volumes.size() &&
                                volume.second.layout.json() == m_plan->volumes[volume.first - 1].json();
                       });
  goes_on ? take_up(left) : set_aside();
}

void VolumeWriter::take_up(const LeftSet& left) {
  for (const auto& [number, volume] : left.volumes) {
    m_files->keep(number - 1);
    if (volume.whole()) {
      if (volume.named) m_named.insert(number - 1);
    } else if (volume.named) {
      m_where.directory.rename(volume.file, m_place.names.partial(number));
    }
  }
  m_progress.with([&](Progress& progress) {
    for (std::size_t i = 0; i < m_plan->blobs.size(); ++i) {
      const Blob& blob = m_plan->blobs[i];
      progress.blobs[i] = {.whole = left.has(blob), .bytes = left.partial_bytes(blob)};
      if (!progress.blobs[i].whole) continue;
      for (const PartIndex at : m_plan->parts[i]) --progress.left[at.volume];
    }
    for (const std::size_t volume : m_named) progress.sealed[volume] = true;
  });
}

void VolumeWriter::set_aside() {
  diag::log(
      "bundle", diag::LogLevel::info,
      fmt::format("the volumes of {} were begun with another plan: taking over what they hold", m_path));
  auto& replaced = m_place.left.replaced;
  const std::size_t generation = replaced.empty() ? 1 : replaced.rbegin()->first + 1;
  LeftSet& set = replaced[generation] = std::exchange(m_place.left.current, {});
  for (auto& [number, volume] : set.volumes) {
    const std::string name = m_place.names.replaced(number, generation);
    m_where.directory.rename(volume.file, name);
    volume.file = name;
    volume.named = false;
  }
  m_where.directory.sync();
}

void VolumeWriter::write_manifests(const Contents& contents) {
  std::vector<std::size_t> manifests;
  for (std::size_t i = 0; i < m_plan->blobs.size() && m_plan->blobs[i].kind == BlobKind::manifest; ++i) {
    if (m_progress.with([&](const Progress& progress) { return progress.blobs[i].whole; })) continue;
    const std::string_view bytes = *contents.manifests.at(m_plan->blobs[i].digest);
    for (const PartIndex at : m_plan->parts[i]) {
      const Part& part = m_plan->part(at);
      write_member(*m_files->open(at.volume), m_plan->place_of(at), bytes.substr(part.offset, part.size));
    }
    manifests.push_back(i);
  }
  publish(manifests);
}

// In the order of the files, each of which goes away when the next one has been read.
void VolumeWriter::take_over(const LeftSet& set, bool drop_files) {
  if (!set.info) return;
  std::set<std::size_t> done;
  const auto drop_before = [&](std::size_t number) {
    publish_batch();
    for (const auto& [other, volume] : set.volumes) {
      if (other < number && done.insert(other).second) m_where.directory.remove_file(volume.file);
    }
  };
  std::size_t reading = 0;
  for (const Blob& blob : set.info->blobs) {
    if (m_stop.stop_requested()) throw diag::Interrupted();
    if (!m_plan->index.contains(blob.digest) || !set.has(blob) || has_blob(blob)) continue;
    const std::size_t first = set.parts_of(blob.digest).front().volume;
    if (drop_files && first != std::exchange(reading, first)) drop_before(first);
    const auto open = [&](std::uint64_t offset) { return set.open(m_where.directory, blob, offset); };
    diag::with_context([&] { return "copying from earlier volumes of " + m_path; },
                       [&] { put_blob(blob, open, transport::no_observer()); });
  }
  if (drop_files) drop_before(k_max_volumes + 1);
}

void VolumeWriter::store_blob(const Blob& blob, const transport::BlobOpener& open,
                              transport::Observer& observer) {
  receive(m_plan->index.at(blob.digest), open, observer);
}

std::vector<PartPlace> VolumeWriter::places_of(std::size_t blob) {
  std::vector<PartPlace> places;
  for (const PartIndex at : m_plan->parts[blob])
    places.push_back({m_files->open(at.volume), m_plan->place_of(at)});
  return places;
}

void VolumeWriter::receive(std::size_t index, const transport::BlobOpener& open,
                           transport::Observer& observer) {
  const Blob& blob = m_plan->blobs[index];
  const std::uint64_t already =
      m_progress.with([&](const Progress& progress) { return progress.blobs[index].bytes; });
  const std::vector<PartPlace> places = places_of(index);
  // A whole blob's name says its sha256.
  const bool hash_parts = places.size() > 1 || blob.digest.algorithm() != hash::Algorithm::sha256;
  PartsRoom room(places, blob.digest, hash_parts);
  try {
    take_in(blob, already, room, open, observer);
    for (const PartPlace& part : places) write_padding(*part.file, part.place);
    room.reached(blob.size);
    room.mark();
  } catch (...) {
    m_sync_failed ? room.clear() : room.mark();
    throw;
  }
  add_to_batch(index, room.take_digests());
}

// Whoever fills the batch publishes it, while the others go on.
void VolumeWriter::add_to_batch(std::size_t index, std::vector<hash::Digest> digests) {
  const auto full = m_progress.with([&](Progress& progress) -> std::vector<std::size_t> {
    for (std::size_t i = 0; i < digests.size(); ++i) {
      const PartIndex at = m_plan->parts[index][i];
      progress.digests[at.volume].emplace(at.part, digests[i]);
    }
    progress.blobs[index].bytes = m_plan->blobs[index].size;
    progress.batch.push_back(index);
    progress.batch_bytes += m_plan->blobs[index].stored_size;
    if (progress.batch_bytes < k_batch_bytes) return {};
    progress.batch_bytes = 0;
    return std::exchange(progress.batch, {});
  });
  publish(full);
}

void VolumeWriter::publish_batch() {
  publish(m_progress.with([](Progress& progress) { return std::exchange(progress.batch, {}); }));
}

void VolumeWriter::publish(const std::vector<std::size_t>& batch) {
  if (batch.empty()) return;
  std::set<std::size_t> volumes;
  for (const std::size_t index : batch) {
    for (const PartIndex at : m_plan->parts[index]) volumes.insert(at.volume);
  }
  try {
    if (m_sync_failed) throw diag::StorageError("an earlier sync of " + m_path + " failed");
    for (const std::size_t volume : volumes) m_files->open(volume)->sync();
  } catch (const diag::Error&) {
    m_sync_failed = true;
    forget(batch);
    throw;
  }
  write_headers(batch);
  seal_whole(batch);
}

void VolumeWriter::write_headers(const std::vector<std::size_t>& batch) {
  for (const std::size_t index : batch) {
    for (const PartIndex at : m_plan->parts[index]) {
      m_files->open(at.volume)->write_at(m_plan->place_of(at).header,
                                         io::bytes_of(m_plan->volumes[at.volume].header_of(at.part)));
    }
  }
  m_progress.with([&](Progress& progress) {
    for (const std::size_t index : batch) progress.blobs[index] = {true, m_plan->blobs[index].size};
  });
}

// Only the thread whose batch made a volume whole gets it here.
void VolumeWriter::seal_whole(const std::vector<std::size_t>& batch) {
  const auto whole = m_progress.with([&](Progress& progress) {
    std::vector<std::size_t> volumes;
    for (const std::size_t index : batch) {
      for (const PartIndex at : m_plan->parts[index]) {
        if (--progress.left[at.volume] == 0) volumes.push_back(at.volume);
      }
    }
    return volumes;
  });
  for (const std::size_t volume : whole) seal(volume);
}

void VolumeWriter::seal(std::size_t volume) {
  const auto digests = m_progress.with([&](Progress& progress) { return progress.digests[volume]; });
  seal_volume(*m_files->open(volume), *m_plan, volume, digests);
  m_files->close(volume);
  m_progress.with([&](Progress& progress) { progress.sealed[volume] = true; });
}

void VolumeWriter::forget(const std::vector<std::size_t>& blobs) noexcept {
  try {
    for (const std::size_t index : blobs) {
      for (const PartIndex at : m_plan->parts[index]) {
        FileBytes bytes(*m_files->open(at.volume));
        write_zeros(bytes, m_plan->place_of(at).header, tar::k_block);
      }
    }
  } catch (const std::exception&) {  // the medium fails; nothing more can be done here
  }
}

void VolumeWriter::commit() {
  if (!m_begun) throw diag::InternalError("a bundle was sealed before it was begun");
  if (m_unchanged) return m_where.directory.sync();
  publish_batch();
  const bool whole = m_progress.with(
      [](const Progress& progress) { return std::ranges::all_of(progress.blobs, &BlobState::whole); });
  if (!whole) throw diag::InternalError("a bundle was sealed before all of its blobs were there");
  for (std::size_t i = 0; i < m_plan->volumes.size(); ++i) {
    if (!m_progress.with([&](const Progress& progress) { return bool{progress.sealed[i]}; })) seal(i);
  }
  remove_left();
  name_volumes();
}

void VolumeWriter::name_volumes() {
  for (std::size_t i = 0; i < m_plan->volumes.size(); ++i) {
    if (m_named.contains(i)) continue;
    m_where.directory.rename(m_place.names.partial(i + 1), m_place.names.volume(i + 1));
  }
  m_where.directory.sync();
}

/// By number: as this run wrote them, or an earlier one.
std::vector<const VolumeLayout*> VolumeWriter::sealed_volumes() const {
  std::vector<const VolumeLayout*> volumes;
  if (m_plan) {
    for (const VolumeLayout& volume : m_plan->volumes) volumes.push_back(&volume);
  } else {
    for (const auto& [number, volume] : m_place.left.current.volumes) volumes.push_back(&volume.layout);
  }
  return volumes;
}

std::vector<std::string> VolumeWriter::sealed_paths() const {
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < sealed_volumes().size(); ++i)
    paths.push_back(m_where.directory.path_of(m_place.names.volume(i + 1)));
  return paths;
}

// A volume whose head says nothing any more is still the one that lies under its name.
Inspection VolumeWriter::inspect_sealed() const {
  const std::vector<const VolumeLayout*> volumes = sealed_volumes();
  VolumeSet set{.count = volumes.size(), .volumes = {}, .strangers = {}};
  for (std::size_t i = 0; i < volumes.size(); ++i) {
    const VolumeInfo& info = volumes[i]->info();
    set.volumes[i + 1] = {.path = sealed_paths()[i],
                          .stream = info.stream,
                          .sequence = info.sequence,
                          .number = info.number,
                          .count = info.count};
  }
  return inspect_volumes(set, Depth::files);
}

// No name is left that a reader would believe before the first byte is taken out. A volume whose own check
// sums are damaged gets them anew by the rerun, and one whose head is damaged is written anew as a whole.
void VolumeWriter::retract(const std::vector<hash::Digest>& damaged) {
  const std::vector<const VolumeLayout*> volumes = sealed_volumes();
  for (std::size_t i = 0; i < volumes.size(); ++i)
    m_where.directory.rename(m_place.names.volume(i + 1), m_place.names.partial(i + 1));
  m_where.directory.sync();
  const std::set<hash::Digest> lost(damaged.begin(), damaged.end());
  for (std::size_t i = 0; i < volumes.size(); ++i) {
    const auto& parts = volumes[i]->info().parts;
    std::optional<io::File> file;
    for (std::size_t part = 0; part < parts.size(); ++part) {
      if (!lost.contains(parts[part].digest)) continue;
      if (!file) file.emplace(m_where.directory.open_for_update(m_place.names.partial(i + 1)));
      FileBytes bytes(*file);
      write_zeros(bytes, volumes[i]->place_of(part).header, tar::k_block);
    }
    if (file) file->sync();
  }
}

/// What other plans left: volumes beyond the last, and files that blobs were taken from.
void VolumeWriter::remove_left() {
  for (const io::Entry& entry : m_where.directory.list()) {
    const auto parsed = m_place.names.parse(entry.name);
    if (!parsed) continue;
    if (parsed->generation != 0 || parsed->number > m_plan->volumes.size())
      m_where.directory.remove_file(entry.name);
  }
}

}  // namespace

std::unique_ptr<BundleWriter> open_volume_writer(const std::string& path, std::uint64_t volume_size,
                                                 bool overwrite, std::stop_token stop) {
  return std::make_unique<VolumeWriter>(path, volume_size, overwrite, std::move(stop));
}

std::unique_ptr<BundlePlace> look_at_volumes(const std::string& path, bool overwrite) {
  return std::make_unique<VolumesPlace>(path, overwrite);
}

}  // namespace airgap::bundle
