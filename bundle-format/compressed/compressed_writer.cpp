#include "bundle-format/compressed/compressed_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "bundle-format/archive/ordered_archive.hpp"
#include "bundle-format/archive/partial_archive.hpp"
#include "bundle-format/compressed/earlier_tar.hpp"
#include "bundle-format/compressed/framed_sink.hpp"
#include "bundle-format/earlier_bundle.hpp"
#include "common/diag/error.hpp"
#include "common/diag/log.hpp"
#include "common/zstd/frame_scan.hpp"

namespace airgap::bundle::compressed {
namespace {

class CompressedWriter final : public BundleWriter {
 public:
  CompressedWriter(const std::string& path, bool overwrite, const std::stop_token& stop)
      : m_path(path), m_overwrite(overwrite), m_where(path) {
    m_partial.emplace(m_where.directory, m_where.partial());
    m_earlier = earlier_tar(m_where, m_partial->shared(), overwrite, stop);
  }

  const std::optional<BundleInfo>& existing() const override { return m_earlier.info; }
  bool finished() const override { return m_earlier.finished; }
  std::optional<std::string> existing_manifest(const hash::Digest& digest) const override {
    return m_earlier.manifest(digest);
  }
  bool has_blob(const Blob& blob) const override { return m_earlier.has(blob); }
  std::uint64_t partial_bytes(const Blob& blob) const override { return m_earlier.partial_bytes(blob); }

  void begin(Contents contents) override;
  void commit() override;
  std::vector<std::string> sealed_paths() const override { return {m_path}; }
  void retract(const std::vector<hash::Digest>& damaged) override;

 private:
  void store_blob(const Blob& blob, const transport::BlobOpener& open,
                  transport::Observer& observer) override {
    m_archive->put(blob, open, observer);
  }
  void start_over();

  std::string m_path;
  bool m_overwrite;
  ArchiveName m_where;
  std::optional<PartialArchive> m_partial;
  EarlierTar m_earlier;
  bool m_unchanged = false;
  std::optional<ArchivePlan> m_plan;
  std::optional<FramedSink> m_sink;
  std::optional<OrderedArchive> m_archive;
};

void CompressedWriter::begin(Contents contents) {
  m_unchanged = m_earlier.finished && holds_already(contents, *m_earlier.info, m_earlier.plan->metadata);
  if (m_unchanged) return;
  if (m_earlier.finished && !m_overwrite) refuse_to_replace(m_path);
  m_plan.emplace(metadata_files(contents), contents.info);
  const bool continues =
      !m_earlier.finished && m_earlier.plan && m_earlier.plan->metadata == m_plan->metadata;
  if (!continues) start_over();
  FramesThere there = continues ? std::exchange(m_earlier.there, {}) : FramesThere{};
  m_sink.emplace(m_partial->file(), *m_plan, std::move(there));
  m_archive.emplace(
      *m_plan, *m_sink, [this](const Blob& blob) { return m_earlier.open(blob); },
      [this](std::uint64_t offset) { m_sink->take_back(offset); });
  if (continues) {
    m_archive->resume(contents, m_earlier.blobs, std::exchange(m_earlier.next, std::nullopt));
  } else {
    m_archive->begin(contents);
  }
}

// What an unfinished archive of another plan holds is copied out of it, while it has no name any more.
void CompressedWriter::start_over() {
  if (m_earlier.finished || !m_earlier.plan) return;
  diag::log("bundle", diag::LogLevel::info,
            fmt::format("{} was begun with another plan: copying what it holds", m_where.partial()));
  m_where.directory.remove_file(m_where.partial());
  m_partial.reset();
  m_partial.emplace(m_where.directory, m_where.partial());
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
  m_partial->publish(m_where.name);
}

// A rerun keeps what is whole from the front: the first blob that is damaged ends that.
void CompressedWriter::retract(const std::vector<hash::Digest>& damaged) {
  const io::File file = m_partial->retract(m_where.name);
  const ArchivePlan& plan = m_plan ? *m_plan : *m_earlier.plan;
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
