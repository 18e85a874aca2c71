#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/diag/error.hpp"
#include "common/hash/digest.hpp"
#include "common/hash/hasher.hpp"
#include "common/io/stream.hpp"

namespace airgap::hash {

/// Bytes that are not those of the digest they were asked for by. Carries what a caller acts on.
class DigestMismatch : public diag::IntegrityError {
 public:
  using KindError::KindError;
};

/// Passes bytes on and checks them: the end is reported only once size and digest have matched.
/// Throws DigestMismatch when `inner` is longer or shorter than `size` or hashes to another digest, and again
/// when it is read on; `inner` is told then.
class VerifyingSource : public io::Source {
 public:
  /// `inner` is borrowed. `size` is in bytes.
  VerifyingSource(io::Source& inner, const Digest& expected, std::uint64_t size);
  /// `inner` goes on after the first `already` bytes, which `begun` has hashed.
  VerifyingSource(io::Source& inner, const Digest& expected, std::uint64_t size, Hasher begun,
                  std::uint64_t already);
  std::size_t read(std::span<std::byte> out) override;

 private:
  void check_end();
  [[noreturn]] void refuse(std::string why);

  io::Source& m_inner;
  Digest m_expected;
  std::uint64_t m_size;
  std::uint64_t m_remaining;
  Hasher m_hasher;
  bool m_verified = false;
  std::optional<DigestMismatch> m_mismatch;
};

}  // namespace airgap::hash
