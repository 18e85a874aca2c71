#include "common/hash/digest.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>
#include <tuple>

#include "common/diag/error.hpp"
#include "common/text/escape.hpp"
#include "common/text/hex.hpp"

namespace airgap::hash {

std::string_view name(Algorithm algorithm) noexcept {
  return algorithm == Algorithm::sha256 ? "sha256" : "sha512";
}

Digest::Digest(Algorithm algorithm, std::span<const std::byte> bytes) : m_algorithm(algorithm) {
  if (bytes.size() != digest_size(algorithm)) throw diag::InternalError("digest of the wrong length");
  std::copy(bytes.begin(), bytes.end(), m_bytes.begin());
}

Digest Digest::parse(std::string_view text) {
  const auto fail = [&](std::string_view why) -> diag::FormatError {
    return diag::FormatError("bad digest '" + text::escape(text) + "': " + std::string(why));
  };
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) throw fail("expected sha256: or sha512: and hex digits");
  const std::string_view algorithm_name = text.substr(0, colon);
  if (algorithm_name != "sha256" && algorithm_name != "sha512") {
    throw fail("the algorithm is neither sha256 nor sha512");
  }
  const Algorithm algorithm = algorithm_name == "sha256" ? Algorithm::sha256 : Algorithm::sha512;
  const std::string_view digits = text.substr(colon + 1);
  std::array<std::byte, k_max_size> bytes{};
  const std::span<std::byte> value = std::span(bytes).first(digest_size(algorithm));
  if (!text::from_lower_hex(digits, value)) {
    throw fail("expected " + std::to_string(value.size() * 2) + " lower-case hex digits");
  }
  return {algorithm, value};
}

std::string Digest::hex() const {
  return text::to_hex(std::span(m_bytes).first(digest_size(m_algorithm)));
}
std::string Digest::str() const {
  return std::string(name(m_algorithm)) + ":" + hex();
}
std::string Digest::brief() const {
  return std::string(name(m_algorithm)) + ":" + hex().substr(0, 12);
}

}  // namespace airgap::hash

namespace {

using HashKeys = std::array<std::uint64_t, airgap::hash::Digest::k_max_size / sizeof(std::uint32_t) + 1>;

HashKeys random_keys() {
  std::random_device random;
  HashKeys keys{};
  for (std::uint64_t& key : keys) key = std::uint64_t{random()} << 32 | random();
  return keys;
}

}  // namespace

// Documents claim whatever digests they like, so the hash has keys that nobody can aim at (multilinear
// hashing).
std::size_t std::hash<airgap::hash::Digest>::operator()(const airgap::hash::Digest& digest) const noexcept {
  static const HashKeys keys = random_keys();
  std::array<std::uint32_t, std::tuple_size_v<HashKeys> - 1> words{};
  std::memcpy(words.data(), digest.m_bytes.data(), sizeof words);
  std::uint64_t sum = keys.back();
  for (std::size_t i = 0; i < words.size(); ++i) sum += keys[i] * words[i];
  return static_cast<std::size_t>(sum >> 32);
}
