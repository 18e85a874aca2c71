#include "common/hash/crc32.hpp"

#include <doctest/doctest.h>

#include "common/io/stream.hpp"

namespace airgap::hash {
namespace {

TEST_CASE("a CRC-32 is that of gzip, in pieces too") {
  CHECK(crc32(0, {}) == 0);
  CHECK(crc32(0, io::bytes_of("123456789")) == 0xCBF43926);
  CHECK(crc32(crc32(0, io::bytes_of("1234")), io::bytes_of("56789")) == 0xCBF43926);
}

}  // namespace
}  // namespace airgap::hash
