#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/diag/error.hpp"
#include "common/registry/chunk_bytes.hpp"

namespace airgap::registry {
namespace {

constexpr std::uint64_t k_most = std::uint64_t{8} << 20;  // bytes, of each worker's memory

class HeldChunks : public ChunkBytes {
 public:
  HeldChunks(const OutgoingBlob& blob, std::stop_token stop)
      : m_size(blob.descriptor().size),
        m_stop(std::move(stop)),
        m_source(blob.open_checked()),
        m_buffer(io::k_pump_buffer) {}

  std::uint64_t most() const noexcept override { return k_most; }

  void prepare(std::uint64_t size) override {
    m_chunk = static_cast<std::size_t>(size);
    m_held.reserve(static_cast<std::size_t>(std::min(size + m_buffer.size(), m_size - m_place)));
    while (!m_ended && (m_held.size() < size || m_place + m_held.size() >= m_size)) fill();
  }

  std::unique_ptr<io::Source> open() override {
    return std::make_unique<io::MemorySource>(std::string_view(m_held).substr(0, m_chunk));
  }

  void advance_to(std::uint64_t place) override {
    while (m_place + m_held.size() < place || (place == m_size && !m_ended)) {
      if (m_stop.stop_requested()) throw diag::Interrupted();
      drop(std::min<std::uint64_t>(m_held.size(), place - m_place));
      fill();
    }
    drop(place - m_place);
  }

 private:
  void fill() {
    const std::size_t count = m_source->read(m_buffer);
    m_held.append(io::text_of(std::span(m_buffer).first(count)));
    m_ended = count == 0;
  }

  void drop(std::uint64_t count) {
    m_held.erase(0, static_cast<std::size_t>(count));
    m_place += count;
  }

  std::uint64_t m_size;  // bytes, of the blob
  std::stop_token m_stop;
  std::unique_ptr<io::Source> m_source;
  std::vector<std::byte> m_buffer;
  std::uint64_t m_place = 0;  // of m_held's first byte
  std::string m_held;
  std::size_t m_chunk = 0;  // bytes of m_held
  bool m_ended = false;     // m_source, verified
};

}  // namespace

std::unique_ptr<ChunkBytes> held_chunks(const OutgoingBlob& blob, std::stop_token stop) {
  return std::make_unique<HeldChunks>(blob, std::move(stop));
}

}  // namespace airgap::registry
