#include "common/hash/hasher.hpp"

#include <openssl/evp.h>

#include <array>

#include "common/diag/error.hpp"
#include "common/raii/c_handle.hpp"

namespace airgap::hash {
namespace {

void check(int result) {
  if (result != 1) throw diag::InternalError("OpenSSL could not hash");
}

// Fetched once: an implicit fetch for every blob takes a lock in OpenSSL 3.
const EVP_MD* implementation(Algorithm algorithm) {
  static const raii::CHandle<EVP_MD, EVP_MD_free> sha256(EVP_MD_fetch(nullptr, "SHA256", nullptr));
  static const raii::CHandle<EVP_MD, EVP_MD_free> sha512(EVP_MD_fetch(nullptr, "SHA512", nullptr));
  return algorithm == Algorithm::sha256 ? sha256.get() : sha512.get();
}

}  // namespace

struct Hasher::Context {
  raii::CHandle<EVP_MD_CTX, EVP_MD_CTX_free> handle{EVP_MD_CTX_new()};
};

Hasher::Hasher(Algorithm algorithm) : m_algorithm(algorithm), m_context(std::make_unique<Context>()) {
  if (!m_context->handle) throw std::bad_alloc();
  check(EVP_DigestInit_ex2(m_context->handle.get(), implementation(algorithm), nullptr));
}
Hasher::~Hasher() = default;
Hasher::Hasher(const Hasher& other) : Hasher(other.m_algorithm) {
  check(EVP_MD_CTX_copy_ex(m_context->handle.get(), other.m_context->handle.get()));
}
Hasher& Hasher::operator=(const Hasher& other) {
  return *this = Hasher(other);
}
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

void Hasher::update(std::span<const std::byte> data) {
  check(EVP_DigestUpdate(m_context->handle.get(), data.data(), data.size()));
}

Digest Hasher::finish() {
  std::array<unsigned char, Digest::k_max_size> bytes{};
  check(EVP_DigestFinal_ex(m_context->handle.get(), bytes.data(), nullptr));
  return {m_algorithm, std::as_bytes(std::span(bytes)).first(digest_size(m_algorithm))};
}

Digest digest_of(Algorithm algorithm, std::string_view bytes) {
  Hasher hasher(algorithm);
  hasher.update(io::bytes_of(bytes));
  return hasher.finish();
}

}  // namespace airgap::hash
