#include "common/hash/verifying_source.hpp"

#include <fmt/format.h>

#include <utility>

namespace airgap::hash {

VerifyingSource::VerifyingSource(io::Source& inner, const Digest& expected, std::uint64_t size)
    : VerifyingSource(inner, expected, size, Hasher(expected.algorithm()), 0) {}

VerifyingSource::VerifyingSource(io::Source& inner, const Digest& expected, std::uint64_t size, Hasher begun,
                                 std::uint64_t already)
    : m_inner(inner),
      m_expected(expected),
      m_size(size),
      m_remaining(size - already),
      m_hasher(std::move(begun)) {}

std::size_t VerifyingSource::read(std::span<std::byte> out) {
  if (m_verified) return 0;
  if (m_mismatch) throw DigestMismatch(*m_mismatch);
  const std::size_t count = m_inner.read(out);
  if (count > m_remaining) {
    refuse(fmt::format("{} is longer than its declared {} bytes", m_expected.str(), m_size));
  }
  m_remaining -= count;
  m_hasher.update(out.first(count));
  if (count == 0) check_end();
  return count;
}

void VerifyingSource::check_end() {
  if (m_remaining != 0) {
    refuse(fmt::format("{} ended {} bytes early: got {} of {} bytes", m_expected.str(), m_remaining,
                       m_size - m_remaining, m_size));
  }
  const Digest actual = m_hasher.finish();
  if (actual != m_expected) {
    refuse(fmt::format("wrong bytes: expected {}, found {}", m_expected.str(), actual.str()));
  }
  m_verified = true;
}

void VerifyingSource::refuse(std::string why) {
  m_inner.reject();
  throw DigestMismatch(m_mismatch.emplace(std::move(why)));
}

}  // namespace airgap::hash
