#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "common/hash/digest.hpp"
#include "common/io/stream.hpp"

namespace airgap::hash {

/// An incremental hash (OpenSSL). A copy goes on from the bytes so far. Used by one thread at a time.
class Hasher {
 public:
  explicit Hasher(Algorithm algorithm);
  ~Hasher();
  Hasher(const Hasher& other);
  Hasher& operator=(const Hasher& other);
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;

  void update(std::span<const std::byte> data);
  Digest finish();  ///< Called once, last.

 private:
  struct Context;
  Algorithm m_algorithm;
  std::unique_ptr<Context> m_context;
};

Digest digest_of(Algorithm algorithm, std::string_view bytes);
inline Digest sha256_of(std::string_view bytes) {
  return digest_of(Algorithm::sha256, bytes);
}

}  // namespace airgap::hash
