#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace airgap::hash {

/// The registered algorithms of the OCI image specification ("Digests").
enum class Algorithm : unsigned char { sha256, sha512 };

std::string_view name(Algorithm algorithm) noexcept;               ///< "sha256"
constexpr std::size_t digest_size(Algorithm algorithm) noexcept {  ///< in bytes
  return algorithm == Algorithm::sha256 ? 32 : 64;
}

/// A content digest. It always holds a valid value, so it is safe in a path or URL.
class Digest {
 public:
  static constexpr std::size_t k_max_size = 64;  ///< bytes of the longest algorithm

  /// "sha256:" and 64 lower-case hex digits, or "sha512:" and 128. Throws FormatError.
  static Digest parse(std::string_view text);
  /// From raw bytes; their count must fit the algorithm.
  Digest(Algorithm algorithm, std::span<const std::byte> bytes);

  Algorithm algorithm() const noexcept { return m_algorithm; }
  std::string hex() const;
  std::string str() const;    ///< "sha256:<hex>"
  std::string brief() const;  ///< "sha256:<first 12 digits>", for people

  friend auto operator<=>(const Digest&, const Digest&) = default;

 private:
  friend struct std::hash<Digest>;
  Algorithm m_algorithm;
  std::array<std::byte, k_max_size>
      m_bytes{};  // the unused tail stays zero, so the default comparison is right
};

}  // namespace airgap::hash

template <>
struct std::hash<airgap::hash::Digest> {
  std::size_t operator()(const airgap::hash::Digest& digest) const noexcept;
};
