#include "bundle-format/archive/ordered_archive.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "common/diag/log.hpp"
#include "common/hash/verifying_source.hpp"
#include "common/raii/scope_exit.hpp"

namespace airgap::bundle {

namespace {

/// Of one blob that waits, in bytes.
constexpr std::uint64_t k_prefetch = std::uint64_t{4} << 20;
/// The bytes of a blob from an opener; may be let go and is opened again where it was.
class ReopeningSource : public io::Source {
 public:
  ReopeningSource(const transport::BlobOpener& open, std::uint64_t size) : m_open(open), m_size(size) {}
  std::size_t read(std::span<std::byte> out) override {
    if (!m_source && m_offset != 0 && m_offset == m_size) return 0;
    if (!m_source) m_source = m_open(m_offset);
    const std::size_t count = m_source->read(out);
    m_offset += count;
    return count;
  }
  void reject() override {
    if (m_source) m_source->reject();
  }
  void let_go() { m_source.reset(); }

 private:
  const transport::BlobOpener& m_open;
  std::uint64_t m_size;
  std::unique_ptr<io::Source> m_source;
  std::uint64_t m_offset = 0;
};

}  // namespace

/// One blob on its way into the archive.
class OrderedBlob {
 public:
  OrderedBlob(const Blob& blob, const transport::BlobOpener& open, transport::Observer& observer)
      : m_blob(blob),
        m_source(open, blob.size),
        m_verified(m_source, blob.digest, blob.size),
        m_observer(observer) {}

  /// Reads until the buffer is full or the blob has ended, verified.
  void fill(std::size_t capacity) {
    m_buffer.resize(capacity);
    m_filled = 0;
    while (!m_ended && m_buffer.size() - m_filled >= io::k_min_read) {
      const std::size_t count = m_verified.read(std::span(m_buffer).subspan(m_filled));
      m_ended = count == 0;
      m_filled += count;
      m_moved += count;
      if (count != 0) m_observer.blob_progress(m_blob.digest, count);
    }
  }
  void drain(io::Sink& out) {
    out.write(std::span(m_buffer).first(m_filled));
    m_filled = 0;
  }
  bool ended() const noexcept { return m_ended; }
  std::uint64_t moved() const noexcept { return m_moved; }
  void let_go() {
    if (!m_ended) m_source.let_go();
  }

 private:
  const Blob& m_blob;
  ReopeningSource m_source;
  hash::VerifyingSource m_verified;
  transport::Observer& m_observer;
  std::vector<std::byte> m_buffer;
  std::size_t m_filled = 0;
  std::uint64_t m_moved = 0;
  bool m_ended = false;
};

OrderedArchive::OrderedArchive(const ArchivePlan& plan, io::Sink& out, KeptBlob kept)
    : m_plan(plan), m_out(out), m_kept(std::move(kept)) {}

void OrderedArchive::write(std::string_view bytes) {
  m_out.write(io::bytes_of(bytes));
  m_position += bytes.size();
}

// Between members there are zeros.
void OrderedArchive::fill_to(std::uint64_t offset) {
  write(std::string(static_cast<std::size_t>(offset - m_position), '\0'));
}

void OrderedArchive::begin_member(std::size_t blob) {
  fill_to(m_plan.place_of(blob).header);
  write(m_plan.header_of(blob));
}

void OrderedArchive::begin(const Contents& contents) {
  for (std::size_t i = 0; i < m_plan.metadata.size(); ++i) {
    write(m_plan.header_of(m_plan.metadata[i]) + m_plan.metadata[i].bytes);
    fill_to(m_plan.layout.places[i].end());
  }
  write_known(contents, 0);
}

void OrderedArchive::resume(const Contents& contents, std::size_t blobs) {
  m_position = m_plan.layout.places[m_plan.metadata.size() - 1].end();
  if (blobs != 0) {
    const tar::Place& last = m_plan.place_of(blobs - 1);
    m_position = last.data + last.size;
  }
  write_known(contents, blobs);
}

void OrderedArchive::write_known(const Contents& contents, std::size_t from) {
  std::size_t i = from;
  for (; i < m_plan.blobs.size() && m_plan.blobs[i].kind == BlobKind::manifest; ++i) {
    begin_member(i);
    write(*contents.manifests.at(m_plan.blobs[i].digest));
  }
  m_turns.next(i + write_kept(i));
}

std::size_t OrderedArchive::write_kept(std::size_t from) {
  std::size_t count = 0;
  for (; m_kept && from + count < m_plan.blobs.size(); ++count) {
    const Blob& blob = m_plan.blobs[from + count];
    const auto bytes = m_kept(blob);
    if (!bytes) break;
    begin_member(from + count);
    copy(blob, *bytes);
  }
  return count;
}

void OrderedArchive::copy(const Blob& blob, io::Source& bytes) {
  hash::VerifyingSource verified(bytes, blob.digest, blob.size);
  io::pump(verified, m_out);
  m_position += blob.stored_size;
}

void OrderedArchive::put(const Blob& blob, const transport::BlobOpener& open, transport::Observer& observer) {
  try {
    put_in_turn(m_plan.index.at(blob.digest), open, observer);
  } catch (const diag::Error& error) {
    m_turns.fail(error);
    throw;
  } catch (const std::exception& error) {
    m_turns.fail(diag::InternalError(error.what()));
    throw;
  }
}

// A blob that fits the buffer has its second chance here (R4): nothing of it is written yet.
std::unique_ptr<OrderedBlob> OrderedArchive::prefetch(const Blob& blob, std::size_t capacity,
                                                      const transport::BlobOpener& open,
                                                      transport::Observer& observer) const {
  auto arriving = std::make_unique<OrderedBlob>(blob, open, observer);
  try {
    arriving->fill(capacity);
  } catch (const hash::DigestMismatch& mismatch) {
    diag::log("bundle", diag::LogLevel::warning,
              fmt::format("{}; trying once more from zero", mismatch.message()));
    observer.blob_restarted(blob.digest, arriving->moved());
    arriving = std::make_unique<OrderedBlob>(blob, open, observer);
    arriving->fill(capacity);
  }
  return arriving;
}

void OrderedArchive::put_in_turn(std::size_t index, const transport::BlobOpener& open,
                                 transport::Observer& observer) {
  m_turns.check();  // nothing more can be written: nothing more is fetched
  const Blob& blob = m_plan.blobs[index];
  observer.blob_started(blob.digest, blob.size, 0);
  const auto none = [] {};
  // One read more than the blob is long meets its end.
  const std::size_t capacity = static_cast<std::size_t>(std::min(blob.size, k_prefetch)) + io::k_min_read;
  const bool reserved = m_turns.reserve(capacity);
  const raii::ScopeExit release([&] {
    if (reserved) m_turns.release(capacity);
  });
  if (!reserved) m_turns.wait_for(index, none);

  const auto arriving = prefetch(blob, capacity, open, observer);
  m_turns.wait_for(index, [&] { arriving->let_go(); });
  begin_member(index);
  arriving->drain(m_out);
  while (!arriving->ended()) {
    arriving->fill(io::k_pump_buffer);
    arriving->drain(m_out);
  }
  m_position += blob.stored_size;
  m_turns.next(1 + write_kept(index + 1));
  observer.blob_finished(blob.digest, blob.size, "fetched");
}

void OrderedArchive::finish() {
  if (m_turns.finished() != m_plan.blobs.size())
    throw diag::InternalError("a bundle was sealed before all of its blobs were there");
  fill_to(m_plan.layout.end);
}

}  // namespace airgap::bundle
