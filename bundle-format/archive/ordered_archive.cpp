#include "bundle-format/archive/ordered_archive.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "bundle-format/blob_intake.hpp"
#include "bundle-format/damaged_bundle.hpp"
#include "bundle-format/second_attempt.hpp"
#include "common/diag/log.hpp"
#include "common/hash/verifying_source.hpp"
#include "common/raii/scope_exit.hpp"

namespace airgap::bundle {

namespace {

/// Of one blob that waits, in bytes.
constexpr std::uint64_t k_prefetch = std::uint64_t{4} << 20;

/// The bytes of a blob, its front first where that lies elsewhere, then from an opener; may be let go and is
/// opened again where it was.
class ReopeningSource : public io::Source {
 public:
  ReopeningSource(const transport::BlobOpener& open, std::uint64_t size, std::uint64_t offset, Front front)
      : m_open(open), m_size(size), m_offset(offset), m_front(std::move(front)) {}
  std::size_t read(std::span<std::byte> out) override {
    if (m_offset < m_front.bytes) {
      if (const std::size_t count = read_from(m_front.open, out)) return count;
    }
    if (std::exchange(m_front, {}).bytes != 0) m_source.reset();
    if (!m_source && m_offset != 0 && m_offset == m_size) return 0;
    return read_from(m_open, out);
  }
  void reject() override {
    if (m_source) m_source->reject();
  }
  void let_go() { m_source.reset(); }

 private:
  template <class Open>
  std::size_t read_from(const Open& open, std::span<std::byte> out) {
    if (!m_source) m_source = open(m_offset);
    const std::size_t count = m_source->read(out);
    m_offset += count;
    return count;
  }

  const transport::BlobOpener& m_open;
  std::uint64_t m_size;
  std::uint64_t m_offset;
  Front m_front;
  std::unique_ptr<io::Source> m_source;
};

BegunBlob nothing_of(const Blob& blob) {
  return {.bytes = 0, .hasher = hash::Hasher(blob.digest.algorithm())};
}

}  // namespace

/// One blob on its way into the archive.
class OrderedBlob {
 public:
  OrderedBlob(const Blob& blob, const transport::BlobOpener& open, transport::Observer& observer)
      : OrderedBlob(blob, open, observer, nothing_of(blob), {}) {}
  OrderedBlob(const Blob& blob, const transport::BlobOpener& open, transport::Observer& observer,
              BegunBlob begun, Front front)
      : m_blob(blob),
        m_already(std::max(begun.bytes, front.bytes)),
        m_source(open, blob.size, begun.bytes, std::move(front)),
        m_verified(m_source, blob.digest, blob.size, std::move(begun.hasher), begun.bytes),
        m_observer(observer),
        m_written(begun.bytes),
        m_moved(begun.bytes) {}

  /// Reads until the buffer is full or the blob has ended, verified.
  void fill(std::size_t capacity) {
    m_buffer.resize(capacity);
    m_filled = 0;
    while (!m_ended && m_buffer.size() - m_filled >= io::k_min_read) {
      const std::size_t count = m_verified.read(std::span(m_buffer).subspan(m_filled));
      m_ended = count == 0;
      m_filled += count;
      m_moved += count;
      if (m_moved > m_already)
        m_observer.blob_progress(m_blob.digest, std::min<std::uint64_t>(count, m_moved - m_already));
    }
  }
  void drain(io::Sink& out) {
    out.write(std::span(m_buffer).first(m_filled));
    m_written += std::exchange(m_filled, 0);
  }
  bool ended() const noexcept { return m_ended; }
  /// Bytes that came, with those that were there already.
  std::uint64_t moved() const noexcept { return std::max(m_moved, m_already); }
  std::uint64_t written() const noexcept { return m_written; }  ///< of them in the archive
  void let_go() {
    if (!m_ended) m_source.let_go();
  }

 private:
  const Blob& m_blob;
  std::uint64_t m_already;  ///< bytes that are nobody's progress
  ReopeningSource m_source;
  hash::VerifyingSource m_verified;
  transport::Observer& m_observer;
  std::vector<std::byte> m_buffer;
  std::size_t m_filled = 0;
  std::uint64_t m_written;
  std::uint64_t m_moved;
  bool m_ended = false;
};

OrderedArchive::OrderedArchive(const ArchivePlan& plan, io::Sink& out, KeptBlob kept, TakeBack take_back,
                               KeptFront front)
    : m_plan(plan),
      m_out(out),
      m_kept(std::move(kept)),
      m_take_back(std::move(take_back)),
      m_front(std::move(front)) {}

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

void OrderedArchive::resume(const Contents& contents, std::size_t blobs, std::optional<BegunBlob> next) {
  m_position = m_plan.layout.places[m_plan.metadata.size() - 1].end();
  if (blobs != 0) {
    const tar::Place& last = m_plan.place_of(blobs - 1);
    m_position = last.data + last.size;
  }
  m_begun = std::move(next);
  m_begun_index = blobs;
  if (m_begun) m_position = m_plan.place_of(blobs).data + m_begun->bytes;
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
  while (m_kept && from + count < m_plan.blobs.size() && copy_kept(from + count)) ++count;
  return count;
}

bool OrderedArchive::copy_kept(std::size_t index) {
  const Blob& blob = m_plan.blobs[index];
  const bool goes_on = m_begun && index == m_begun_index;
  Kept kept = m_kept(blob, goes_on ? m_begun->bytes : 0);
  if (!kept.bytes) return false;
  if (!goes_on) {
    begin_member(index);
    copy_from_zero(blob, kept);
    return true;
  }
  try {
    copy(blob, *kept.bytes, *std::exchange(m_begun, std::nullopt));
  } catch (const hash::DigestMismatch& mismatch) {  // its front was no good
    diag::log("bundle", diag::LogLevel::warning,
              fmt::format("{}; copying it once more from zero", mismatch.message()));
    m_position = m_plan.place_of(index).data;
    m_take_back(m_position);
    kept = m_kept(blob, 0);
    copy_from_zero(blob, kept);
  }
  return true;
}

void OrderedArchive::copy_from_zero(const Blob& blob, const Kept& kept) {
  try {
    copy(blob, *kept.bytes, nothing_of(blob));
  } catch (const diag::IntegrityError& error) {
    throw DamagedBundle(fmt::format("{} is damaged: {}", kept.path, error.message()),
                        "remove it and run again: all of it is fetched anew");
  }
}

void OrderedArchive::copy(const Blob& blob, io::Source& bytes, BegunBlob begun) {
  const std::uint64_t already = begun.bytes;
  hash::VerifyingSource verified(bytes, blob.digest, blob.size, std::move(begun.hasher), already);
  io::pump(verified, m_out);
  m_position += blob.stored_size - already;
}

void OrderedArchive::put(const Blob& blob, const transport::BlobOpener& open, transport::Observer& observer) {
  try {
    put_in_turn(m_plan.index.at(blob.digest), open, observer);
  } catch (const DamagedBundle& error) {
    m_turns.fail(error);
    throw;
  } catch (const diag::Error& error) {
    m_turns.fail(error);
    throw;
  } catch (const std::exception& error) {
    m_turns.fail(diag::InternalError(error.what()));
    throw;
  }
}

// What can be taken back need not wait in memory for its digest, where a kill would lose it.
std::size_t OrderedArchive::prefetched(std::size_t index, std::uint64_t missing) const {
  const std::uint64_t most = m_take_back && m_turns.finished() == index ? io::k_pump_buffer : k_prefetch;
  return static_cast<std::size_t>(std::min(missing, most)) + io::k_min_read;  // one read more meets the end
}

void OrderedArchive::put_in_turn(std::size_t index, const transport::BlobOpener& open,
                                 transport::Observer& observer) {
  m_turns.check();  // nothing more can be written: nothing more is fetched
  const Blob& blob = m_plan.blobs[index];
  auto begun = index == m_begun_index ? std::exchange(m_begun, std::nullopt) : std::nullopt;
  Front front = m_front ? m_front(blob) : Front{};
  const std::uint64_t written = begun ? begun->bytes : 0;
  const std::uint64_t already = std::max(written, front.bytes);
  observer.blob_started(blob.digest, blob.size, already);
  const std::size_t capacity = prefetched(index, blob.size - written);
  const bool reserved = m_turns.reserve(capacity);
  const raii::ScopeExit release([&] {
    if (reserved) m_turns.release(capacity);
  });
  if (!reserved) m_turns.wait_for(index, [] {});

  std::optional<OrderedBlob> arriving;
  arriving.emplace(blob, open, observer, begun ? std::move(*begun) : nothing_of(blob), std::move(front));
  with_second_attempt(
      [&] { write_in_turn(index, capacity, *arriving); }, [&] { return take_back(index, *arriving); },
      [&](const hash::DigestMismatch& first) {
        observer.blob_rejected(blob.digest, already == 0 ? first.message()
                                                         : fmt::format("{}; {}", first.message(),
                                                                       front_of_earlier_run(already)));
        observer.blob_restarted(blob.digest, arriving->moved());
        write_in_turn(index, capacity, arriving.emplace(blob, open, observer));
      });
  m_position = m_plan.place_of(index).data + blob.stored_size;
  m_turns.next(1 + write_kept(index + 1));
  observer.blob_finished(blob.digest, blob.size, "fetched");
}

void OrderedArchive::write_in_turn(std::size_t index, std::size_t capacity, OrderedBlob& arriving) {
  arriving.fill(capacity);
  m_turns.wait_for(index, [&] { arriving.let_go(); });
  if (m_position < m_plan.place_of(index).data) begin_member(index);
  arriving.drain(m_out);
  while (!arriving.ended()) {
    arriving.fill(io::k_pump_buffer);
    arriving.drain(m_out);
  }
}

bool OrderedArchive::take_back(std::size_t index, const OrderedBlob& written) {
  if (written.written() == 0) return true;
  if (!m_take_back) return false;
  m_position = m_plan.place_of(index).data;
  m_take_back(m_position);
  return true;
}

void OrderedArchive::finish() {
  if (m_turns.finished() != m_plan.blobs.size())
    throw diag::InternalError("a bundle was sealed before all of its blobs were there");
  fill_to(m_plan.layout.end);
}

}  // namespace airgap::bundle
