#include "common/hash/hasher.hpp"

#include <doctest/doctest.h>

namespace airgap::hash {
namespace {

constexpr const char* k_hello = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

TEST_CASE("the digests of known texts are those that everybody computes") {
  CHECK(sha256_of("hello").str() == k_hello);
  CHECK(sha256_of("").str() == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(digest_of(Algorithm::sha512, "abc").str() ==
        "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

TEST_CASE("how the bytes are cut does not matter") {
  Hasher hasher(Algorithm::sha256);
  for (const std::string_view part : {"h", "", "ell", "o"}) hasher.update(io::bytes_of(part));
  Hasher moved = std::move(hasher);
  CHECK(moved.finish().str() == k_hello);
}

}  // namespace
}  // namespace airgap::hash
