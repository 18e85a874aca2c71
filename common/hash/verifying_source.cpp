#include "common/hash/verifying_source.hpp"

#include <utility>

namespace airgap::hash {

VerifyingSource::VerifyingSource(io::Source& inner, const Digest& expected, std::uint64_t size)
    : VerifyingSource(inner, expected, size, Hasher(expected.algorithm()), 0) {}

VerifyingSource::VerifyingSource(io::Source& inner, const Digest& expected, std::uint64_t size, Hasher begun,
                                 std::uint64_t already)
    : m_inner(inner), m_verification(expected, size, std::move(begun), already) {}

std::size_t VerifyingSource::read(std::span<std::byte> out) {
  if (m_verified) return 0;
  if (m_mismatch) throw DigestMismatch(*m_mismatch);
  const std::size_t count = m_inner.read(out);
  try {
    m_verification.update(out.first(count));
    if (count == 0) m_verification.finish();
  } catch (const DigestMismatch& mismatch) {
    m_mismatch = mismatch;
    m_inner.reject();
    throw;
  }
  m_verified = count == 0;
  return count;
}

}  // namespace airgap::hash
