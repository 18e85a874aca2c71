#include "common/hash/verifying_source.hpp"

#include <doctest/doctest.h>

namespace airgap::hash {
namespace {

std::string read(std::string_view bytes, const Digest& expected, std::uint64_t size) {
  io::MemorySource inner(bytes);
  VerifyingSource source(inner, expected, size);
  return io::read_all(source, 1024, "blob");
}

TEST_CASE("bytes that match pass through") {
  CHECK(read("hello", sha256_of("hello"), 5) == "hello");
  CHECK(read("", sha256_of(""), 0).empty());
  const Digest long_digest = digest_of(Algorithm::sha512, "hello");
  CHECK(read("hello", long_digest, 5) == "hello");
}

TEST_CASE("wrong bytes, missing bytes and extra bytes are refused, each by name") {
  const Digest hello = sha256_of("hello");
  CHECK_THROWS_WITH_AS(read("hallo", hello, 5), doctest::Contains(("expected " + hello.str()).c_str()),
                       DigestMismatch);
  CHECK_THROWS_WITH_AS(read("hell", hello, 5), doctest::Contains("ended 1 bytes early: got 4 of 5 bytes"),
                       DigestMismatch);
  CHECK_THROWS_WITH_AS(read("hello!", hello, 5), doctest::Contains("is longer than its declared 5 bytes"),
                       DigestMismatch);
  CHECK_THROWS_AS(read("", hello, 5), DigestMismatch);
  CHECK_THROWS_AS(read("x", sha256_of(""), 0), DigestMismatch);
}

TEST_CASE("bytes go on after those that were hashed before") {
  for (const auto& [rest, right] : {std::pair{"lo", true}, {"lO", false}, {"l", false}, {"lo!", false}}) {
    CAPTURE(rest);
    Hasher begun(Algorithm::sha256);
    begun.update(io::bytes_of("hel"));
    io::MemorySource inner(rest);
    VerifyingSource source(inner, sha256_of("hello"), 5, std::move(begun), 3);
    if (right) {
      CHECK(io::read_all(source, 1024, "blob") == rest);
    } else {
      CHECK_THROWS_AS(io::read_all(source, 1024, "blob"), DigestMismatch);
    }
  }
}

TEST_CASE("the end is said once the digest has matched, and again when asked again") {
  io::MemorySource inner("hello");
  VerifyingSource source(inner, sha256_of("hello"), 5);
  std::vector<std::byte> buffer(io::k_min_read);
  CHECK(source.read(buffer) == 5);
  CHECK(source.read(buffer) == 0);
  CHECK(source.read(buffer) == 0);
}

TEST_CASE("a mismatch stays the same mismatch when it is read on") {
  io::MemorySource inner("hallo");
  VerifyingSource source(inner, sha256_of("hello"), 5);
  std::vector<std::byte> buffer(io::k_min_read);
  CHECK(source.read(buffer) == 5);
  for (int i = 0; i < 2; ++i) {
    CHECK_THROWS_WITH_AS(source.read(buffer),
                         doctest::Contains(("found " + sha256_of("hallo").str()).c_str()), DigestMismatch);
  }
}

TEST_CASE("a digest mismatch is an integrity failure") {
  try {
    read("x", sha256_of("y"), 1);
    FAIL("accepted");
  } catch (const diag::Error& error) {
    CHECK(error.kind() == diag::ErrorKind::integrity);
  }
}

}  // namespace
}  // namespace airgap::hash
