#include "common/hash/digest.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <unordered_set>
#include <vector>

#include "common/diag/error.hpp"

namespace airgap::hash {
namespace {

const std::string k_sha256 = "sha256:" + std::string(62, '0') + "9f";
const std::string k_sha512 = "sha512:" + std::string(128, 'a');

TEST_CASE("a digest is written as it is read") {
  const Digest digest = Digest::parse(k_sha256);
  CHECK(digest.algorithm() == Algorithm::sha256);
  CHECK(digest.str() == k_sha256);
  CHECK(digest.hex() == k_sha256.substr(7));
  CHECK(digest.brief() == "sha256:000000000000");
  CHECK(Digest::parse(k_sha512).str() == k_sha512);
}

TEST_CASE("digests compare by algorithm and bytes, and can be keys") {
  const Digest a = Digest::parse(k_sha256);
  const Digest b = Digest::parse("sha256:" + std::string(64, '1'));
  CHECK(a == Digest::parse(k_sha256));
  CHECK(a < b);
  CHECK(b < Digest::parse(k_sha512));
  CHECK(std::unordered_set<Digest>{a, b, a}.size() == 2);
}

TEST_CASE("digests chosen to look alike do not fall into one bucket") {
  std::unordered_set<Digest> digests;
  for (int i = 0; i < 10'000; ++i) {
    std::string tail = std::to_string(i);
    digests.insert(Digest::parse("sha256:" + std::string(64 - tail.size(), '0') + tail));
  }
  std::size_t fullest = 0;
  for (std::size_t i = 0; i < digests.bucket_count(); ++i)
    fullest = std::max(fullest, digests.bucket_size(i));
  CHECK(fullest < 50);
}

TEST_CASE("what could be anything but a digest is refused, so that it never gets into a path or URL") {
  const std::string digits(64, 'a');
  const std::vector<std::string> refused{"",
                                         digits,
                                         "sha256:",
                                         "sha256:" + digits.substr(1),
                                         "sha256:" + digits + "a",
                                         "sha256:" + std::string(64, 'A'),
                                         "SHA256:" + digits,
                                         "sha256 :" + digits,
                                         "sha512:" + digits,
                                         "sha384:" + std::string(96, 'a'),
                                         "md5:" + std::string(32, 'a'),
                                         "sha256:../../../../etc/passwd",
                                         "sha256:%2f" + digits.substr(3),
                                         "sha256:" + digits + "\n",
                                         "sha256:sha256:" + digits,
                                         ":" + digits};
  for (const std::string& bad : refused) {
    CAPTURE(bad);
    CHECK_THROWS_WITH_AS(Digest::parse(bad), doctest::Contains("bad digest '"), diag::FormatError);
  }
}

TEST_CASE("raw bytes must have the algorithm's length") {
  const std::array<std::byte, 32> bytes{};
  CHECK(Digest(Algorithm::sha256, bytes).hex() == std::string(64, '0'));
  CHECK_THROWS_AS(Digest(Algorithm::sha512, bytes), diag::InternalError);
}

}  // namespace
}  // namespace airgap::hash
