#pragma once

#include <cstdint>
#include <optional>

#include "common/hash/verification.hpp"
#include "common/io/stream.hpp"

namespace airgap::hash {

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
  io::Source& m_inner;
  Verification m_verification;
  bool m_verified = false;
  std::optional<DigestMismatch> m_mismatch;
};

}  // namespace airgap::hash
