#include "bundle-format/archive/archive_writer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "bundle-format/archive/archive_place.hpp"
#include "bundle-format/archive/archive_relocation.hpp"
#include "bundle-format/archive/archive_state.hpp"
#include "bundle-format/archive/partial_archive.hpp"
#include "bundle-format/archive/relocation_journal.hpp"
#include "bundle-format/earlier_bundle.hpp"
#include "bundle-format/interruptible_source.hpp"
#include "bundle-format/metadata/layout.hpp"
#include "bundle-format/synced_batches.hpp"
#include "common/diag/error.hpp"
#include "common/diag/log.hpp"
#include "common/hash/verifying_source.hpp"
#include "common/image/manifest.hpp"
#include "common/io/directory.hpp"
#include "common/task/guarded.hpp"

namespace airgap::bundle {
namespace {

class ArchiveWriter final : public BundleWriter {
 public:
  ArchiveWriter(const std::string& path, bool overwrite, std::stop_token stop);

  const std::optional<BundleInfo>& existing() const override { return m_there.info(); }
  bool finished() const override { return m_there.finished.state.has_value(); }
  std::optional<std::string> existing_manifest(const hash::Digest& digest) const override {
    return m_there.manifest(digest);
  }
  bool has_blob(const Blob& blob) const override { return state_of(blob).whole; }
  std::uint64_t partial_bytes(const Blob& blob) const override { return state_of(blob).bytes; }
  std::uint64_t occupied_bytes(const Contents&, std::uint64_t length) const override {
    return m_there.occupied_bytes(length);
  }
  const BundleInfo* begun() const override { return m_there.replacement(); }
  std::optional<LeftFiles> left_beside() const override { return m_where.unfinished(); }

  void begin(Contents contents) override;
  void commit() override;
  std::vector<std::string> sealed_paths() const override { return {m_path}; }
  std::optional<hash::Digest> sealed_sums() const override { return digest_of_sums(sealed_plan().metadata); }
  void retract(const std::vector<hash::Digest>& damaged) override;

 private:
  using States = std::vector<BlobState>;  ///< beside m_plan->blobs

  void store_blob(const Blob& blob, const transport::BlobOpener& open,
                  transport::Observer& observer) override;
  BlobState state_of(const Blob& blob) const;
  /// As this run wrote it, or an earlier one.
  const ArchivePlan& sealed_plan() const { return m_plan ? *m_plan : m_there.finished.state->plan; }
  void start(ArchivePlan plan);
  void copy_from_replaced();
  States rearrange(const ArchiveState& earlier, const ArchivePlan& plan);
  void write_head(const Contents& contents);
  void write_member(const tar::Place& place, std::string_view bytes);
  void receive(std::size_t index, const transport::BlobOpener& open, transport::Observer& observer);
  void write_headers(const std::vector<std::size_t>& blobs);
  void forget(const std::vector<std::size_t>& blobs);

  std::string m_path;
  bool m_overwrite;
  std::stop_token m_stop;
  ArchiveName m_where;
  std::optional<PartialArchive> m_partial;
  ArchivesThere m_there;  ///< before begin()
  bool m_begun = false;
  bool m_unchanged = false;
  std::optional<ArchivePlan> m_plan;  ///< from begin() on
  mutable task::Guarded<States> m_states;
  SyncedBatches<std::size_t> m_batches;  ///< by place in m_plan->blobs
};

ArchiveWriter::ArchiveWriter(const std::string& path, bool overwrite, std::stop_token stop)
    : m_path(path),
      m_overwrite(overwrite),
      m_stop(std::move(stop)),
      m_where(path),
      m_batches(path, {.sync = [this](const auto&) { m_partial->file().sync(); },
                       .publish = [this](const auto& blobs) { write_headers(blobs); },
                       .forget = [this](const auto& blobs) { forget(blobs); }}) {
  m_partial.emplace(m_where.directory, m_where.partial());
  m_there = archives_there(m_where, m_partial->shared(), overwrite);
}

BlobState ArchiveWriter::state_of(const Blob& blob) const {
  if (!m_plan) return m_there.state_of(blob);
  const auto found = m_plan->index.find(blob.digest);
  if (found == m_plan->index.end() || m_plan->blobs[found->second].size != blob.size) return {};
  return m_states.with([&](const States& states) { return states[found->second]; });
}

void ArchiveWriter::begin(Contents contents) {
  const std::optional<ArchiveState>& finished = m_there.finished.state;
  m_unchanged = finished && holds_already(contents, *finished->info, finished->plan.metadata);
  m_begun = true;
  if (m_unchanged) return;
  if (finished && !m_overwrite) refuse_to_replace(m_path, *finished->info, contents.info);
  start(ArchivePlan(metadata_files(contents), contents.info));
  write_head(contents);
  m_where.directory.remove_file(m_where.journal());
  if (finished) copy_from_replaced();
}

// has_blob() spoke of the finished archive, too: what is not in the new one yet comes from there.
void ArchiveWriter::copy_from_replaced() {
  diag::log("bundle", diag::LogLevel::info, fmt::format("copying what {} holds already", m_path));
  const ArchivePlan& replaced = m_there.finished.state->plan;
  for (const Blob& blob : m_plan->blobs) {
    if (!m_there.finished.state_of(blob).whole) continue;
    const tar::Place& place = replaced.place_of(replaced.index.at(blob.digest));
    const auto open = [&](std::uint64_t offset) {
      return std::make_unique<InterruptibleSource>(
          std::make_unique<io::FileRangeSource>(m_there.finished.file, place.data + offset,
                                                place.size - offset),
          m_stop);
    };
    try {
      put_blob(blob, open, transport::no_observer());
    } catch (const hash::DigestMismatch& error) {
      throw diag::IntegrityError(fmt::format("{} is damaged: {}", m_path, error.message()),
                                 "remove it and run again: all of it is fetched anew");
    }
  }
}

// Goes on with the file as the earlier run left it, or brings it into the shape of the new plan.
void ArchiveWriter::start(ArchivePlan plan) {
  const std::optional<ArchiveState>& begun = m_there.begun.state;
  States states(plan.blobs.size());
  if (!begun) {
    m_where.directory.remove_file(m_where.journal());
    m_partial->file().truncate(0);
  } else {
    states = begun->plan.metadata == plan.metadata ? begun->blobs : rearrange(*begun, plan);
  }
  m_states.with([&](States& now) { now = std::move(states); });
  m_plan = std::move(plan);
}

ArchiveWriter::States ArchiveWriter::rearrange(const ArchiveState& earlier, const ArchivePlan& plan) {
  diag::log("bundle", diag::LogLevel::info,
            fmt::format("{}{} was begun with another plan: rearranging it", m_path, k_partial_ending));
  const States& old = earlier.blobs;
  Relocation relocation;
  std::vector<BlobMove> moves;
  for (std::size_t i = 0; i < old.size(); ++i) relocation.old_places.push_back(earlier.plan.place_of(i));
  std::vector<BlobState> states(plan.blobs.size());
  for (std::size_t i = 0; i < states.size(); ++i) {
    const Blob& blob = plan.blobs[i];
    const auto found = earlier.plan.index.find(blob.digest);
    // Manifests are written anew. A blob of another kind now stands in another order, and relocation needs
    // the same.
    const bool kept = found != earlier.plan.index.end() && earlier.plan.blobs[found->second] == blob &&
                      old[found->second].bytes > 0 && blob.kind != BlobKind::manifest;
    if (!kept) {
      relocation.absent.push_back(plan.place_of(i));
      continue;
    }
    states[i] = old[found->second];
    relocation.kept.push_back(
        {.from = earlier.plan.place_of(found->second),
         .to = plan.place_of(i),
         .bytes = states[i].bytes,
         .slot = states[i].whole ? plan.header_of(i) : progress_marker(blob.digest, states[i].bytes)});
    if (states[i].whole) moves.push_back({blob, relocation.kept.back().from, relocation.kept.back().to});
  }
  m_where.directory.write_atomically(m_where.journal(), journal_text(moves));
  FileBytes bytes(m_partial->file());
  relocate(bytes, relocation, m_stop);
  return states;
}

void ArchiveWriter::write_member(const tar::Place& place, std::string_view bytes) {
  m_partial->write(place.data, bytes);
  m_partial->write_padding(place);
}

void ArchiveWriter::write_head(const Contents& contents) {
  for (std::size_t i = 0; i < m_plan->metadata.size(); ++i) {
    const MetadataFile& file = m_plan->metadata[i];
    const tar::Place& place = m_plan->layout.places[i];
    m_partial->write(place.header, m_plan->header_of(file));
    write_member(place, file.bytes);
  }
  std::vector<std::size_t> manifests;
  for (std::size_t i = 0; i < m_plan->blobs.size() && m_plan->blobs[i].kind == BlobKind::manifest; ++i) {
    write_member(m_plan->place_of(i), *contents.manifests.at(m_plan->blobs[i].digest));
    manifests.push_back(i);
  }
  m_batches.publish(manifests);
}

void ArchiveWriter::store_blob(const Blob& blob, const transport::BlobOpener& open,
                               transport::Observer& observer) {
  const std::size_t index = m_plan->index.at(blob.digest);
  receive(index, open, observer);
  m_states.with([&](States& states) { states[index].bytes = m_plan->blobs[index].size; });
  m_batches.add(index, m_plan->blobs[index].stored_size);
}

void ArchiveWriter::receive(std::size_t index, const transport::BlobOpener& open,
                            transport::Observer& observer) {
  const Blob& blob = m_plan->blobs[index];
  const tar::Place& place = m_plan->place_of(index);
  const std::uint64_t already = m_states.with([&](const States& states) { return states[index].bytes; });
  MarkedRoom room(m_partial->file(), place, blob.digest);
  try {
    take_in(blob, already, room, open, observer);
    m_partial->write_padding(place);
    room.reached(blob.size);
    room.mark();
  } catch (...) {
    m_batches.failed() ? room.clear() : room.mark();
    throw;
  }
}

void ArchiveWriter::write_headers(const std::vector<std::size_t>& blobs) {
  for (const std::size_t index : blobs)
    m_partial->write(m_plan->place_of(index).header, m_plan->header_of(index));
  m_states.with([&](States& states) {
    for (const std::size_t index : blobs) states[index] = {true, m_plan->blobs[index].size};
  });
}

void ArchiveWriter::forget(const std::vector<std::size_t>& blobs) {
  FileBytes bytes(m_partial->file());
  for (const std::size_t index : blobs) write_zeros(bytes, m_plan->place_of(index).header, tar::k_block);
}

void ArchiveWriter::commit() {
  if (!m_begun) throw diag::InternalError("a bundle was sealed before it was begun");
  if (m_unchanged) return m_where.directory.sync();
  m_batches.publish_rest();
  const bool whole =
      m_states.with([](const States& states) { return std::ranges::all_of(states, &BlobState::whole); });
  if (!whole) throw diag::InternalError("a bundle was sealed before all of its blobs were there");
  const io::File& file = m_partial->file();
  FileBytes bytes(file);
  write_zeros(bytes, m_plan->layout.end - tar::k_end_size, tar::k_end_size);
  file.truncate(m_plan->layout.end);
  file.sync();
  m_partial->publish(m_where.name);
}

void ArchiveWriter::retract(const std::vector<hash::Digest>& damaged) {
  const io::File file = m_partial->retract(m_where.name);
  const ArchivePlan& plan = sealed_plan();
  FileBytes bytes(file);
  for (const hash::Digest& digest : damaged) {
    const auto found = plan.index.find(digest);
    if (found != plan.index.end()) write_zeros(bytes, plan.place_of(found->second).header, tar::k_block);
  }
  file.sync();
}

}  // namespace

std::unique_ptr<BundleWriter> open_archive_writer(const std::string& path, bool overwrite,
                                                  std::stop_token stop) {
  return std::make_unique<ArchiveWriter>(path, overwrite, std::move(stop));
}

}  // namespace airgap::bundle
