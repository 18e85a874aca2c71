#include "bundle-format/compressed/compressed_writer.hpp"

#include <algorithm>
#include <utility>

#include "bundle-format/archive/ordered_archive.hpp"
#include "bundle-format/archive/partial_archive.hpp"
#include "bundle-format/compressed/framed_sink.hpp"
#include "bundle-format/compressed/tars_left.hpp"
#include "bundle-format/earlier_bundle.hpp"
#include "bundle-format/interruptible_source.hpp"
#include "common/diag/error.hpp"
#include "common/zstd/frame_scan.hpp"

namespace airgap::bundle::compressed {
namespace {

class CompressedWriter final : public BundleWriter {
 public:
  CompressedWriter(const std::string& path, bool overwrite, const std::stop_token& stop)
      : m_path(path),
        m_overwrite(overwrite),
        m_stop(stop),
        m_where(path),
        m_partial(std::in_place, m_where.directory, m_where.partial()),
        m_left(m_where, m_partial->shared(), overwrite, stop) {}

  const std::optional<BundleInfo>& existing() const override { return m_left.info(); }
  bool finished() const override { return m_left.finished.plan.has_value(); }
  std::optional<std::string> existing_manifest(const hash::Digest& digest) const override {
    return m_left.manifest(digest);
  }
  bool has_blob(const Blob& blob) const override { return m_left.has(blob); }
  std::uint64_t partial_bytes(const Blob& blob) const override { return m_left.partial_bytes(blob); }
  std::uint64_t doubled_bytes(const Contents& wanted) const override { return m_left.doubled_bytes(wanted); }
  const BundleInfo* begun() const override { return m_left.replacement(); }
  std::uint64_t occupied_bytes(const Contents& wanted, std::uint64_t) const override {
    return m_left.occupied_bytes(wanted);
  }
  std::optional<LeftFiles> left_beside() const override { return unfinished_tars(m_where); }

  void begin(Contents contents) override;
  void commit() override;
  std::vector<std::string> sealed_paths() const override { return {m_path}; }
  std::optional<hash::Digest> sealed_sums() const override { return digest_of_sums(sealed_plan().metadata); }
  void retract(const std::vector<hash::Digest>& damaged) override;

 private:
  void store_blob(const Blob& blob, const transport::BlobOpener& open,
                  transport::Observer& observer) override {
    m_archive->put(blob, open, observer);
  }
  void set_aside();
  /// As this run wrote it, or an earlier one.
  const ArchivePlan& sealed_plan() const { return m_plan ? *m_plan : *m_left.finished.plan; }
  OrderedArchive::Kept open_kept(const Blob& blob, std::uint64_t offset) const;

  std::string m_path;
  bool m_overwrite;
  std::stop_token m_stop;
  ArchiveName m_where;
  std::optional<PartialArchive> m_partial;
  TarsLeft m_left;
  bool m_unchanged = false;
  std::optional<ArchivePlan> m_plan;
  std::optional<FramedSink> m_sink;
  std::optional<OrderedArchive> m_archive;
};

void CompressedWriter::begin(Contents contents) {
  const EarlierTar& finished = m_left.finished;
  EarlierTar& begun = m_left.begun;
  m_unchanged = finished.plan && holds_already(contents, *finished.info, finished.plan->metadata);
  if (m_unchanged) return;
  if (finished.plan && !m_overwrite) refuse_to_replace(m_path, *finished.info, contents.info);
  m_plan.emplace(metadata_files(contents), contents.info);
  const bool continues = m_left.goes_on_as(*m_plan);
  if (!continues) set_aside();
  m_left.replaced.drop_needless(*m_plan, finished, continues ? &begun : nullptr, m_partial->file());
  FramesThere there = continues ? std::exchange(begun.there, {}) : FramesThere{};
  m_sink.emplace(m_partial->file(), *m_plan, std::move(there));
  m_archive.emplace(
      *m_plan, *m_sink, [this](const Blob& blob, std::uint64_t offset) { return open_kept(blob, offset); },
      [this](std::uint64_t offset) { m_sink->take_back(offset); },
      [this](const Blob& blob) { return m_left.front_of(blob); });
  if (continues) {
    m_archive->resume(contents, begun.blobs, std::exchange(begun.next, std::nullopt));
  } else {
    m_archive->begin(contents);
  }
}

// What an unfinished archive of another plan holds is copied out of it. It stays: what breaks off this run
// may do so before all of it is copied.
void CompressedWriter::set_aside() {
  if (!m_left.begun.plan) return;
  m_left.replaced.set_aside(*m_partial, std::exchange(m_left.begun, {}));
  m_partial.reset();
  m_partial.emplace(m_where.directory, m_where.partial());
}

OrderedArchive::Kept CompressedWriter::open_kept(const Blob& blob, std::uint64_t offset) const {
  auto bytes = m_left.open(blob, offset);
  if (!bytes) return {};
  return {.bytes = std::make_unique<InterruptibleSource>(std::move(bytes), m_stop),
          .path = m_left.finished.has(blob) ? m_path : m_where.directory.path_of(m_where.partial())};
}

void CompressedWriter::commit() {
  if (m_unchanged) return m_where.directory.sync();
  if (!m_archive) throw diag::InternalError("a bundle was sealed before it was begun");
  m_archive->finish();
  m_sink->finish();
  try {
    m_partial->file().sync();
  } catch (const diag::StorageError&) {
    m_where.directory.remove_file(m_where.partial());  // what the sync dropped reads well until then (R123)
    throw;
  }
  m_left.replaced.remove_all();
  m_partial->publish(m_where.name);
}

// A rerun keeps what is whole from the front: the first blob that is damaged ends that.
void CompressedWriter::retract(const std::vector<hash::Digest>& damaged) {
  const io::File file = m_partial->retract(m_where.name);
  const ArchivePlan& plan = sealed_plan();
  std::size_t first = plan.blobs.size();
  for (const hash::Digest& digest : damaged) {
    const auto found = plan.index.find(digest);
    if (found != plan.index.end()) first = std::min(first, found->second);
  }
  const zstd::FrameTable frames(zstd::scan_frames(file));
  const std::size_t kept = frames_through(plan, first);
  if (kept < frames.count()) file.truncate(frames[kept].stored_at);
  file.sync();
}

}  // namespace

std::unique_ptr<BundleWriter> open_compressed_writer(const std::string& path, bool overwrite,
                                                     const std::stop_token& stop) {
  return std::make_unique<CompressedWriter>(path, overwrite, stop);
}

}  // namespace airgap::bundle::compressed
