#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "common/diag/error.hpp"
#include "common/hash/digest.hpp"
#include "common/hash/hasher.hpp"

namespace airgap::hash {

/// Bytes that are not those of the digest they were asked for by. Carries what a caller acts on.
class DigestMismatch : public diag::IntegrityError {
 public:
  using KindError::KindError;
};

/// What is known of bytes on their way: how many came, and what they hash to so far. A copy is a place to
/// come back to.
class Verification {
 public:
  /// `size` is in bytes.
  Verification(const Digest& expected, std::uint64_t size)
      : Verification(expected, size, Hasher(expected.algorithm()), 0) {}
  /// After the first `already` bytes, which `begun` has hashed.
  Verification(const Digest& expected, std::uint64_t size, Hasher begun, std::uint64_t already)
      : m_expected(expected), m_size(size), m_position(already), m_hasher(std::move(begun)) {}

  std::uint64_t size() const noexcept { return m_size; }
  std::uint64_t position() const noexcept { return m_position; }  ///< bytes so far
  void update(std::span<const std::byte> data);  ///< throws DigestMismatch when there are too many
  void finish();  ///< called once, last; throws DigestMismatch when some are missing or they are others

 private:
  Digest m_expected;
  std::uint64_t m_size;
  std::uint64_t m_position;
  Hasher m_hasher;
};

}  // namespace airgap::hash
