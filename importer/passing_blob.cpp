#include "importer/passing_blob.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

namespace airgap::importer {

class PassingBlob::Reader : public io::Source {
 public:
  Reader(PassingBlob& blob, std::uint64_t position) : m_blob(blob), m_position(position) {}
  std::size_t read(std::span<std::byte> out) override {
    const std::size_t count = m_blob.read_at(m_position, out);
    m_position += count;
    return count;
  }

 private:
  PassingBlob& m_blob;
  std::uint64_t m_position;
};

PassingBlob::PassingBlob(io::Source& bytes, std::uint64_t size) : m_bytes(bytes) {
  m_held.reserve(static_cast<std::size_t>(std::min(size, transport::k_held)));
}

void PassingBlob::read_ahead() {
  std::vector<std::byte> buffer(io::k_pump_buffer);
  while (read_at(m_passed, buffer) != 0) {
  }
}

std::unique_ptr<io::Source> PassingBlob::open(std::uint64_t offset) {
  if (offset > m_passed || (m_gone && offset != m_passed)) {
    throw transport::PassedBy("it cannot be sent again, for a pipe cannot be read twice",
                              "send the bundle again: what arrived is not sent twice");
  }
  return std::make_unique<Reader>(*this, offset);
}

std::size_t PassingBlob::read_at(std::uint64_t position, std::span<std::byte> out) {
  if (position < m_passed) {
    const std::size_t at = static_cast<std::size_t>(position);
    const std::size_t count = std::min(out.size(), m_held.size() - at);
    std::memcpy(out.data(), m_held.data() + at, count);
    return count;
  }
  const std::size_t count = m_bytes.read(out);
  m_passed += count;
  if (m_passed > transport::k_held) {
    std::string().swap(m_held);
    m_gone = true;
  } else {
    m_held.append(io::text_of(out.first(count)));
  }
  return count;
}

}  // namespace airgap::importer
