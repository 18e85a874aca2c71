#include "bundle-format/volumes/volume_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "bundle-format/earlier_bundle.hpp"
#include "bundle-format/interruptible_source.hpp"
#include "bundle-format/volumes/parts_room.hpp"
#include "bundle-format/volumes/sealed_volumes.hpp"
#include "bundle-format/volumes/volumes_in_progress.hpp"
#include "bundle-format/volumes/volumes_place.hpp"
#include "common/diag/error.hpp"
#include "common/diag/log.hpp"
#include "common/hash/verifying_source.hpp"

namespace airgap::bundle {
namespace {

class VolumeWriter final : public BundleWriter {
 public:
  VolumeWriter(const std::string& path, std::uint64_t volume_size, bool overwrite, std::stop_token stop)
      : m_path(path),
        m_overwrite(overwrite),
        m_stop(std::move(stop)),
        m_where(path),
        m_lock(m_where.directory, VolumeNames(m_where.name).lock()),
        m_archive_lock(m_where.directory, m_where.partial()),
        m_place(path, volume_size, overwrite),
        m_info(m_place.left.current.info) {}

  const std::optional<BundleInfo>& existing() const override { return m_info; }
  bool finished() const override { return m_place.left.finished; }
  std::optional<std::string> existing_manifest(const hash::Digest& digest) const override {
    return m_place.manifest(digest);
  }
  bool has_blob(const Blob& blob) const override {
    return m_plan ? bytes_there(blob).whole : m_place.has(blob);
  }
  std::uint64_t partial_bytes(const Blob& blob) const override {
    return m_plan ? bytes_there(blob).bytes : m_place.partial_bytes(blob);
  }

  std::uint64_t doubled_bytes(const Contents& wanted) const override { return m_place.doubled_bytes(wanted); }
  std::uint64_t occupied_bytes(std::uint64_t length) const override { return m_place.occupied_bytes(length); }
  void begin(Contents contents) override;
  void commit() override;
  std::vector<std::string> sealed_paths() const override { return sealed().paths(); }
  Inspection inspect_sealed() const override { return sealed().inspect(); }
  std::optional<hash::Digest> sealed_sums() const override {
    return digest_of_sums(m_plan ? m_plan->metadata : m_place.left.current.metadata);
  }
  void retract(const std::vector<hash::Digest>& damaged) override { sealed().retract(damaged); }

 private:
  void store_blob(const Blob& blob, const transport::BlobOpener& open,
                  transport::Observer& observer) override;

  BlobState bytes_there(const Blob& blob) const;
  bool holds_finished(const Contents& contents) const;
  void start(VolumePlan plan);
  void take_up(const LeftSet& left);
  void set_aside();
  void write_manifests(const Contents& contents);
  void take_over(const LeftSet& set, bool drop_files);
  bool gives_more(const LeftSet& set, const Blob& blob) const;
  void take_over(const LeftSet& set, const Blob& blob, bool unfinished);
  void take_over_whole(const LeftSet& set, const Blob& blob, bool unfinished);
  void take_over_front(const LeftSet& set, const Blob& blob);
  std::unique_ptr<io::Source> open(const LeftSet& set, const Blob& blob, std::uint64_t offset) const;
  void name_volumes();
  void remove_left();
  SealedVolumes sealed() const;

  std::string m_path;
  bool m_overwrite;
  std::stop_token m_stop;
  ArchiveName m_where;
  PartialArchive m_lock;          ///< stays empty, so it goes with this object
  PartialArchive m_archive_lock;  ///< nobody writes that archive in one file meanwhile
  VolumesPlace m_place;
  std::optional<BundleInfo> m_info;
  bool m_begun = false;
  bool m_unchanged = false;
  std::optional<VolumePlan> m_plan;
  std::set<std::size_t> m_named;  ///< volumes, from 0, that have their final name since an earlier run
  std::optional<VolumesInProgress> m_progress;
};

BlobState VolumeWriter::bytes_there(const Blob& blob) const {
  const auto found = m_plan->index.find(blob.digest);
  if (found == m_plan->index.end() || m_plan->blobs[found->second].size != blob.size) return {};
  return m_progress->blob(found->second);
}

bool VolumeWriter::holds_finished(const Contents& contents) const {
  const LeftSet& left = m_place.left.current;
  return m_place.left.finished && m_place.fits && holds_already(contents, *left.info, left.metadata);
}

void VolumeWriter::begin(Contents contents) {
  m_unchanged = holds_finished(contents);
  m_begun = true;
  if (m_unchanged) return;
  if (m_place.left.finished && !m_overwrite) refuse_to_replace(m_path);
  start(plan_volumes(metadata_files(contents), contents.info, m_place.volume_size));
  write_manifests(contents);
  for (const auto& [generation, set] : m_place.left.replaced) take_over(set, true);
  if (m_place.left.finished) take_over(m_place.left.current, false);
}

// Goes on with the files as an earlier run left them, or puts them where their blobs are taken over from.
void VolumeWriter::start(VolumePlan plan) {
  m_plan = std::move(plan);
  m_progress.emplace(m_where.directory, m_place.names, *m_plan, m_path);
  const LeftSet& left = m_place.left.current;
  if (m_place.left.finished || !left.info) return;
  m_place.goes_on_as(*m_plan) ? take_up(left) : set_aside();
}

void VolumeWriter::take_up(const LeftSet& left) {
  for (const auto& [number, volume] : left.volumes) {
    if (volume.whole()) {
      if (volume.named) m_named.insert(number - 1);
    } else if (volume.named) {
      m_where.directory.rename(volume.file, m_place.names.partial(number));
    }
  }
  m_progress->take_up(left, m_named);
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
    if (m_progress->blob(i).whole) continue;
    const std::string_view bytes = *contents.manifests.at(m_plan->blobs[i].digest);
    const std::vector<PartPlace> places = m_progress->places_of(i);
    for (std::size_t k = 0; k < places.size(); ++k) {
      const Part& part = m_plan->part(m_plan->parts[i][k]);
      write_member(*places[k].file, places[k].place, bytes.substr(part.offset, part.size));
    }
    manifests.push_back(i);
  }
  m_progress->publish(manifests);
}

// In the order of the files, each of which goes away when the next one has been read.
void VolumeWriter::take_over(const LeftSet& set, bool drop_files) {
  if (!set.info) return;
  std::set<std::size_t> done;
  const auto drop_before = [&](std::size_t number) {
    m_progress->publish_batch();
    for (const auto& [other, volume] : set.volumes) {
      if (other < number && done.insert(other).second) m_where.directory.remove_file(volume.file);
    }
  };
  std::size_t reading = 0;
  for (const Blob& blob : set.info->blobs) {
    if (!gives_more(set, blob)) continue;
    const std::size_t first = set.parts_of(blob.digest).front().volume;
    if (drop_files && first != std::exchange(reading, first)) drop_before(first);
    take_over(set, blob, drop_files);
  }
  if (drop_files) drop_before(k_max_volumes + 1);
}

bool VolumeWriter::gives_more(const LeftSet& set, const Blob& blob) const {
  const auto found = m_plan->index.find(blob.digest);
  if (found == m_plan->index.end() || m_plan->blobs[found->second].size != blob.size) return false;
  const BlobState here = m_progress->blob(found->second);
  return !here.whole && (set.has(blob) || set.partial_bytes(blob) > here.bytes);
}

std::unique_ptr<io::Source> VolumeWriter::open(const LeftSet& set, const Blob& blob,
                                               std::uint64_t offset) const {
  return std::make_unique<InterruptibleSource>(set.open(m_where.directory, blob, offset), m_stop);
}

void VolumeWriter::take_over(const LeftSet& set, const Blob& blob, bool unfinished) {
  set.partial_bytes(blob) == blob.size ? take_over_whole(set, blob, unfinished) : take_over_front(set, blob);
}

// What was published is in nobody's plan to be fetched; what only lies there whole is, should it be no good.
void VolumeWriter::take_over_whole(const LeftSet& set, const Blob& blob, bool unfinished) {
  const auto from_set = [&](std::uint64_t offset) { return open(set, blob, offset); };
  try {
    put_blob(blob, from_set, transport::no_observer());
  } catch (const hash::DigestMismatch& error) {
    if (unfinished) set.forget(m_where.directory, blob.digest);
    const LeftVolume& volume = set.volumes.at(set.parts_of(blob.digest).front().volume);
    const std::string what =
        fmt::format("{} is damaged: {}", m_where.directory.path_of(volume.file), error.message());
    if (set.has(blob)) {
      throw diag::IntegrityError(what, unfinished
                                           ? "run again: what is damaged is fetched anew"
                                           : "remove the volumes and run again: all of it is fetched anew");
    }
    diag::log("bundle", diag::LogLevel::warning, what + "; fetching it anew");
    m_progress->begun(m_plan->index.at(blob.digest), 0);
  }
}

// Nobody hashed these bytes to the end yet: whoever brings the rest does.
void VolumeWriter::take_over_front(const LeftSet& set, const Blob& blob) {
  const std::size_t index = m_plan->index.at(blob.digest);
  const std::uint64_t there = set.partial_bytes(blob);
  std::uint64_t done = m_progress->blob(index).bytes;
  PartsRoom room(m_progress->places_of(index), blob.digest, false);
  const auto bytes = open(set, blob, done);
  std::vector<std::byte> buffer(io::k_pump_buffer);
  while (done < there) {
    const std::size_t count = bytes->read(buffer);
    if (count == 0) break;
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(count, there - done));
    room.write_at(done, std::span(buffer).first(wanted));
    done += wanted;
    room.reached(done);
  }
  room.mark();
  m_progress->begun(index, done);
}

void VolumeWriter::store_blob(const Blob& blob, const transport::BlobOpener& open,
                              transport::Observer& observer) {
  const std::size_t index = m_plan->index.at(blob.digest);
  const std::vector<PartPlace> places = m_progress->places_of(index);
  // A whole blob's name says its sha256.
  const bool hash_parts = places.size() > 1 || blob.digest.algorithm() != hash::Algorithm::sha256;
  PartsRoom room(places, blob.digest, hash_parts);
  try {
    take_in(blob, m_progress->blob(index).bytes, room, open, observer);
    for (const PartPlace& part : places) write_padding(*part.file, part.place);
    room.reached(blob.size);
    room.mark();
  } catch (...) {
    m_progress->sync_failed() ? room.clear() : room.mark();
    throw;
  }
  m_progress->arrived(index, room.take_digests());
}

void VolumeWriter::commit() {
  if (!m_begun) throw diag::InternalError("a bundle was sealed before it was begun");
  if (m_unchanged) return m_where.directory.sync();
  m_progress->publish_batch();
  if (!m_progress->whole())
    throw diag::InternalError("a bundle was sealed before all of its blobs were there");
  m_progress->seal_rest();
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

// As this run wrote them, or an earlier one.
SealedVolumes VolumeWriter::sealed() const {
  std::vector<const VolumeLayout*> layouts;
  if (m_plan) {
    for (const VolumeLayout& volume : m_plan->volumes) layouts.push_back(&volume);
  } else {
    for (const auto& [number, volume] : m_place.left.current.volumes) layouts.push_back(&volume.layout);
  }
  return {m_where.directory, m_place.names, std::move(layouts)};
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

}  // namespace airgap::bundle
