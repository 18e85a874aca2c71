#include "common/hash/verification.hpp"

#include <fmt/format.h>

namespace airgap::hash {

void Verification::update(std::span<const std::byte> data) {
  if (data.size() > m_size - m_position) {
    throw DigestMismatch(fmt::format("{} is longer than its declared {} bytes", m_expected.str(), m_size));
  }
  m_position += data.size();
  m_hasher.update(data);
}

void Verification::finish() {
  if (m_position != m_size) {
    throw DigestMismatch(fmt::format("{} ended {} bytes early: got {} of {} bytes", m_expected.str(),
                                     m_size - m_position, m_position, m_size));
  }
  const Digest actual = m_hasher.finish();
  if (actual != m_expected) {
    throw DigestMismatch(fmt::format("wrong bytes: expected {}, found {}", m_expected.str(), actual.str()));
  }
}

}  // namespace airgap::hash
