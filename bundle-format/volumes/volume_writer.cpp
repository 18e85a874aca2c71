#include "bundle-format/volumes/volume_writer.hpp"

#include <set>

#include "bundle-format/earlier_bundle.hpp"
#include "bundle-format/volumes/parts_room.hpp"
#include "bundle-format/volumes/sealed_volumes.hpp"
#include "bundle-format/volumes/take_over.hpp"
#include "bundle-format/volumes/volumes_in_progress.hpp"
#include "bundle-format/volumes/volumes_place.hpp"
#include "common/diag/error.hpp"

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
        m_info(m_place.info()) {}

  const std::optional<BundleInfo>& existing() const override { return m_info; }
  bool finished() const override { return m_place.left.finished.info.has_value(); }
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
  std::uint64_t occupied_bytes(const Contents&, std::uint64_t length) const override {
    return m_place.occupied_bytes(length);
  }
  bool fits() const override { return m_place.fits; }
  std::size_t finished_volumes() const override { return m_place.left.finished.volumes.size(); }
  const BundleInfo* begun() const override { return m_place.replacement(); }
  std::optional<LeftFiles> left_beside() const override { return m_place.unfinished(); }
  void begin(Contents contents) override;
  void commit() override;
  std::vector<std::string> sealed_paths() const override { return sealed().paths(); }
  Inspection inspect_sealed() const override { return sealed().inspect(); }
  std::optional<hash::Digest> sealed_sums() const override {
    return digest_of_sums(m_plan ? m_plan->metadata : m_place.left.finished.metadata);
  }
  void retract(const std::vector<hash::Digest>& damaged) override { sealed().retract(damaged); }

 private:
  void store_blob(const Blob& blob, const transport::BlobOpener& open,
                  transport::Observer& observer) override;

  BlobState bytes_there(const Blob& blob) const;
  bool holds_finished(const Contents& contents) const;
  void start(VolumePlan plan);
  void take_up(const LeftSet& begun);
  void write_manifests(const Contents& contents);
  void take_over();
  void leave_unchanged();
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
  const LeftSet& finished = m_place.left.finished;
  return finished.info && m_place.fits && holds_already(contents, *finished.info, finished.metadata);
}

void VolumeWriter::begin(Contents contents) {
  m_unchanged = holds_finished(contents);
  m_begun = true;
  if (m_unchanged) return;
  if (finished() && !m_overwrite) refuse_to_replace(m_path, *m_place.left.finished.info, contents.info);
  start(plan_volumes(metadata_files(contents), contents.info, m_place.volume_size));
  write_manifests(contents);
  take_over();
}

// Goes on with the files as an earlier run left them, or puts them where their blobs are taken over from.
void VolumeWriter::start(VolumePlan plan) {
  m_plan = std::move(plan);
  m_progress.emplace(m_where.directory, m_place.names, *m_plan, m_path);
  if (!m_place.left.begun.info) return;
  m_place.goes_on_as(*m_plan) ? take_up(m_place.left.begun)
                              : set_aside(m_where.directory, m_place.names, m_path, m_place.left);
}

void VolumeWriter::take_up(const LeftSet& begun) {
  for (const auto& [number, volume] : begun.volumes) {
    const std::string partial = m_place.names.partial(number);
    if (volume.named && volume.whole()) {
      m_named.insert(number - 1);
    } else if (volume.file != partial) {
      m_where.directory.rename(volume.file, partial);
    }
  }
  m_progress->take_up(begun, m_named);
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

// A finished set comes last: what is whole in the others makes room when it is taken from there.
void VolumeWriter::take_over() {
  TakeOver from(
      m_where.directory, *m_plan, *m_progress,
      [this](const Blob& blob, const transport::BlobOpener& open) {
        put_blob(blob, open, transport::no_observer());
      },
      m_stop);
  for (const auto& [generation, set] : m_place.left.replaced) from.consume(set);
  from.copy(m_place.left.finished);
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
  if (m_unchanged) return leave_unchanged();
  m_progress->publish_batch();
  if (!m_progress->whole())
    throw diag::InternalError("a bundle was sealed before all of its blobs were there");
  m_progress->seal_rest();
  remove_left();
  name_volumes();
}

// Files beside a finished set that have names of more volumes make it look like two.
void VolumeWriter::leave_unchanged() {
  if (m_overwrite) {
    for (const std::string& other : m_place.left.others) m_where.directory.remove_file(other);
  }
  m_where.directory.sync();
}

// Over those of a set that is replaced. While some are unfinished by their names the next run goes on here.
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
    for (const auto& [number, volume] : m_place.left.finished.volumes) layouts.push_back(&volume.layout);
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
  m_where.directory.sync();
}

}  // namespace

std::unique_ptr<BundleWriter> open_volume_writer(const std::string& path, std::uint64_t volume_size,
                                                 bool overwrite, std::stop_token stop) {
  return std::make_unique<VolumeWriter>(path, volume_size, overwrite, std::move(stop));
}

}  // namespace airgap::bundle
