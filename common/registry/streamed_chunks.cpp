#include <algorithm>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "common/diag/error.hpp"
#include "common/hash/verification.hpp"
#include "common/registry/chunk_bytes.hpp"

namespace airgap::registry {
namespace {

constexpr std::uint64_t k_most = std::uint64_t{256} << 20;  // bytes; nothing is held

class StreamedChunks : public ChunkBytes {
 public:
  StreamedChunks(OutgoingBlob& blob, std::stop_token stop)
      : m_blob(blob), m_stop(std::move(stop)), m_begin(blob.descriptor().digest, size()), m_here(m_begin) {}

  std::uint64_t most() const noexcept override { return k_most; }
  void prepare(std::uint64_t chunk) override { m_end = m_begin.position() + chunk; }

  std::unique_ptr<io::Source> open() override {
    go_back_to_begin();
    m_blob.count().move_to(m_begin.position());
    return std::make_unique<Chunk>(*this);
  }

  void advance_to(std::uint64_t place) override {
    if (place < m_here.position()) go_back_to_begin();
    m_end = place;
    std::vector<std::byte> buffer(place == m_here.position() ? io::k_min_read : io::k_pump_buffer);
    while (read(buffer) != 0) {
      if (m_stop.stop_requested()) throw diag::Interrupted();
    }
    m_begin = m_here;
  }

 private:
  class Chunk : public io::Source {
   public:
    explicit Chunk(StreamedChunks& chunks) : m_chunks(chunks) {}
    std::size_t read(std::span<std::byte> out) override {
      const std::size_t count = m_chunks.read(out);
      m_chunks.m_blob.count().move_to(m_chunks.m_here.position());
      return count;
    }

   private:
    StreamedChunks& m_chunks;
  };

  std::uint64_t size() const noexcept { return m_blob.descriptor().size; }

  void go_back_to_begin() {
    if (m_source && m_here.position() == m_begin.position()) return;
    m_source.reset();  // before the next one is opened: it may be a connection
    m_source = m_blob.open(m_begin.position());
    m_here = m_begin;
    m_ahead.clear();
    m_ended = false;
  }

  // Up to the end of the chunk; 0 there, and at the blob's only once that is verified.
  std::size_t read(std::span<std::byte> out) {
    if (!m_source) go_back_to_begin();
    const std::uint64_t left = m_end - m_here.position();
    if (left == 0 && m_end != size()) return 0;
    out = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), left)));
    if (left != 0 && m_ahead.empty() && out.size() >= io::k_min_read)
      return verified(out, m_source->read(out));
    if (m_ahead.empty() && !m_ended) {
      m_ahead.resize(io::k_min_read);
      m_ahead.resize(m_source->read(m_ahead));
    }
    const std::size_t count = std::min(out.size(), m_ahead.size());
    if (count == 0) return verified(m_ahead, m_ahead.size());
    std::memcpy(out.data(), m_ahead.data(), count);
    m_ahead.erase(m_ahead.begin(), m_ahead.begin() + static_cast<std::ptrdiff_t>(count));
    return verified(out, count);
  }

  // Nothing is the end of the source.
  std::size_t verified(std::span<const std::byte> bytes, std::size_t count) {
    if (m_ended) return 0;
    try {
      m_here.update(bytes.first(count));
      if (count == 0) m_here.finish();
    } catch (const hash::DigestMismatch&) {
      m_source->reject();
      throw;
    }
    m_ended = count == 0;
    return count;
  }

  OutgoingBlob& m_blob;
  std::stop_token m_stop;
  hash::Verification m_begin;  // of the chunk
  hash::Verification m_here;   // what is given out
  std::uint64_t m_end = 0;     // of the chunk, in bytes from the blob's start
  std::unique_ptr<io::Source> m_source;
  std::vector<std::byte> m_ahead;  // read, and not given out
  bool m_ended = false;            // m_source, verified
};

}  // namespace

std::unique_ptr<ChunkBytes> streamed_chunks(OutgoingBlob& blob, std::stop_token stop) {
  return std::make_unique<StreamedChunks>(blob, std::move(stop));
}

}  // namespace airgap::registry
