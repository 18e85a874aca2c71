#include "bundle-format/pipe_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "bundle-format/archive_plan.hpp"
#include "bundle-format/pipe_sink.hpp"
#include "common/diag/log.hpp"
#include "common/hash/verifying_source.hpp"
#include "common/raii/scope_exit.hpp"

namespace airgap::bundle {
namespace {

/// Of one blob that waits, in bytes.
constexpr std::uint64_t k_prefetch = std::uint64_t{4} << 20;
/// Of all that wait, in bytes: eight of them, and the buffers stay well below the 64 MiB of DESIGN 8.
constexpr std::uint64_t k_prefetch_total = std::uint64_t{34} << 20;
/// A connection that nobody reads from is let go after this, before the other side does; the rest is asked
/// for again.
constexpr auto k_patience = std::chrono::seconds(10);

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

/// Says whose turn it is. The first failure is everybody's.
class Turns {
 public:
  bool is_up(std::size_t index) const {
    const std::scoped_lock lock(m_mutex);
    return m_next == index;
  }
  /// Returns when `index` is next. Calls `impatient` once when that takes long.
  template <class Impatient>
  void wait_for(std::size_t index, Impatient&& impatient) {
    std::unique_lock lock(m_mutex);
    const auto done = [&] { return m_failure || m_next == index; };
    if (!m_changed.wait_for(lock, k_patience, done)) {
      lock.unlock();
      impatient();
      lock.lock();
      m_changed.wait(lock, done);
    }
    // A copy: errors gather context on the way up, each thread its own.
    if (m_failure) throw diag::Error(*m_failure);
  }
  void next() {
    {
      const std::scoped_lock lock(m_mutex);
      ++m_next;
    }
    m_changed.notify_all();
  }
  void fail(const diag::Error& error) {
    {
      const std::scoped_lock lock(m_mutex);
      if (!m_failure) m_failure = error;
    }
    m_changed.notify_all();
  }
  /// Throws that failure, once there is one.
  void check() const {
    const std::scoped_lock lock(m_mutex);
    if (m_failure) throw diag::Error(*m_failure);
  }
  std::size_t finished() const {
    const std::scoped_lock lock(m_mutex);
    return m_next;
  }

  bool reserve(std::uint64_t bytes) {
    const std::scoped_lock lock(m_mutex);
    if (m_reserved + bytes > k_prefetch_total) return false;
    m_reserved += bytes;
    return true;
  }
  void release(std::uint64_t bytes) {
    const std::scoped_lock lock(m_mutex);
    m_reserved -= bytes;
  }

 private:
  mutable std::mutex m_mutex;
  std::condition_variable m_changed;
  std::size_t m_next = 0;
  std::uint64_t m_reserved = 0;
  std::optional<diag::Error> m_failure;
};

/// One blob on its way into the pipe.
class PipedBlob {
 public:
  PipedBlob(const Blob& blob, const transport::BlobOpener& open, transport::Observer& observer)
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
  void drain(io::Sink& pipe) {
    pipe.write(std::span(m_buffer).first(m_filled));
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

class PipeWriter final : public BundleWriter {
 public:
  PipeWriter(io::File pipe, std::stop_token stop) : m_pipe(std::move(pipe), std::move(stop)) {}

  const std::optional<BundleInfo>& existing() const override { return m_nothing; }
  bool finished() const override { return false; }
  std::optional<std::string> existing_manifest(const hash::Digest&) const override { return std::nullopt; }
  bool has_blob(const Blob&) const override { return false; }
  std::uint64_t partial_bytes(const Blob&) const override { return 0; }

  void begin(Contents contents) override;
  void commit() override;

 private:
  void store_blob(const Blob& blob, const transport::BlobOpener& open,
                  transport::Observer& observer) override;
  void put(std::size_t index, const transport::BlobOpener& open, transport::Observer& observer);
  std::unique_ptr<PipedBlob> prefetch(const Blob& blob, std::size_t capacity,
                                      const transport::BlobOpener& open, transport::Observer& observer) const;
  void write_padding(std::uint64_t size);

  PipeSink m_pipe;
  std::optional<BundleInfo> m_nothing;
  std::optional<ArchivePlan> m_plan;
  Turns m_turns;
};

void PipeWriter::begin(Contents contents) {
  m_plan.emplace(metadata_files(contents), contents.info);
  for (const MetadataFile& file : m_plan->metadata) {
    m_pipe.write(io::bytes_of(m_plan->header_of(file) + file.bytes));
    write_padding(file.bytes.size());
  }
  for (std::size_t i = 0; i < m_plan->blobs.size() && m_plan->blobs[i].kind == BlobKind::manifest; ++i) {
    const std::string& bytes = *contents.manifests.at(m_plan->blobs[i].digest);
    m_pipe.write(io::bytes_of(m_plan->header_of(i) + bytes));
    write_padding(bytes.size());
    m_turns.next();
  }
}

void PipeWriter::write_padding(std::uint64_t size) {
  static constexpr std::array<std::byte, tar::k_block> k_zeros{};
  m_pipe.write(std::span(k_zeros).first(static_cast<std::size_t>(tar::padded(size) - size)));
}

void PipeWriter::store_blob(const Blob& blob, const transport::BlobOpener& open,
                            transport::Observer& observer) {
  try {
    put(m_plan->index.at(blob.digest), open, observer);
  } catch (const diag::Error& error) {
    m_turns.fail(error);
    throw;
  } catch (const std::exception& error) {
    m_turns.fail(diag::InternalError(error.what()));
    throw;
  }
}

// A blob that fits the buffer has its second chance here (R4): nothing of it is in the pipe yet.
std::unique_ptr<PipedBlob> PipeWriter::prefetch(const Blob& blob, std::size_t capacity,
                                                const transport::BlobOpener& open,
                                                transport::Observer& observer) const {
  auto piped = std::make_unique<PipedBlob>(blob, open, observer);
  try {
    piped->fill(capacity);
  } catch (const hash::DigestMismatch& mismatch) {
    diag::log("bundle", diag::LogLevel::warning,
              fmt::format("{}; trying once more from zero", mismatch.message()));
    observer.blob_restarted(blob.digest, piped->moved());
    piped = std::make_unique<PipedBlob>(blob, open, observer);
    piped->fill(capacity);
  }
  return piped;
}

void PipeWriter::put(std::size_t index, const transport::BlobOpener& open, transport::Observer& observer) {
  m_turns.check();  // nothing more can enter the pipe: nothing more is fetched
  const Blob& blob = m_plan->blobs[index];
  observer.blob_started(blob.digest, blob.size, 0);
  const auto none = [] {};
  // One read more than the blob is long meets its end.
  const std::size_t capacity = static_cast<std::size_t>(std::min(blob.size, k_prefetch)) + io::k_min_read;
  const bool reserved = m_turns.reserve(capacity);
  const raii::ScopeExit release([&] {
    if (reserved) m_turns.release(capacity);
  });
  if (!reserved) m_turns.wait_for(index, none);

  const auto piped = prefetch(blob, capacity, open, observer);
  m_turns.wait_for(index, [&] { piped->let_go(); });
  m_pipe.write(io::bytes_of(m_plan->header_of(index)));
  piped->drain(m_pipe);
  while (!piped->ended()) {
    piped->fill(io::k_pump_buffer);
    piped->drain(m_pipe);
  }
  write_padding(blob.size);
  m_turns.next();
  observer.blob_finished(blob.digest, blob.size, "fetched");
}

void PipeWriter::commit() {
  if (!m_plan || m_turns.finished() != m_plan->blobs.size()) {
    throw diag::InternalError("a bundle was sealed before all of its blobs were there");
  }
  static constexpr std::array<std::byte, tar::k_end_size> k_end{};
  m_pipe.write(k_end);
  m_pipe.finish();
}

}  // namespace

std::unique_ptr<BundleWriter> open_pipe_writer(io::File pipe, std::stop_token stop) {
  return std::make_unique<PipeWriter>(std::move(pipe), std::move(stop));
}

}  // namespace airgap::bundle
