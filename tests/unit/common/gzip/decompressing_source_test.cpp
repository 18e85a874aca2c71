#include "common/gzip/decompressing_source.hpp"

#include <doctest/doctest.h>

#include <string>

#include "common/diag/error.hpp"

namespace airgap::gzip {
namespace {

using namespace std::string_literals;

// "hello " and "world\n" as `gzip -n` makes them, one member each.
const std::string k_hello =
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\x57\x00\x00\xf6\xf9\x81\xed\x06\x00\x00\x00"s;

std::string content_of(std::string_view bytes) {
  io::MemorySource input(bytes);
  DecompressingSource source(input);
  return io::read_all(source, 1 << 20, "content");
}

TEST_CASE("members that follow each other give their content") {
  CHECK(content_of(k_hello) == "hello ");
  CHECK(content_of(k_hello + k_hello) == "hello hello ");
  CHECK(content_of("") == "");
}

TEST_CASE("an end inside a member is found, wherever it is") {
  for (std::size_t length = 1; length < k_hello.size(); ++length) {
    CAPTURE(length);
    CHECK_THROWS_WITH_AS(content_of(k_hello.substr(0, length)), doctest::Contains("ends too early"),
                         diag::IntegrityError);
  }
}

TEST_CASE("damage and what is no gzip are found") {
  std::string damaged = k_hello;
  damaged[12] ^= 1;
  CHECK_THROWS_WITH_AS(content_of(damaged), doctest::Contains("is damaged"), diag::IntegrityError);
  CHECK_THROWS_WITH_AS(content_of(k_hello + "something else"),
                       doctest::Contains("bytes follow the end of the gzip data"), diag::IntegrityError);
  CHECK_THROWS_WITH_AS(content_of(k_hello + "\x1f\x8b\x77\x77"), doctest::Contains("near byte"),
                       diag::IntegrityError);
}

TEST_CASE("zeros that fill up the last block of a device are no content") {
  CHECK(content_of(k_hello + std::string(10'000, '\0')) == "hello ");
  CHECK_THROWS_AS(content_of(k_hello + std::string(100, '\0') + k_hello), diag::IntegrityError);
  CHECK_THROWS_AS(content_of(std::string(100, '\0')), diag::IntegrityError);
}

}  // namespace
}  // namespace airgap::gzip
