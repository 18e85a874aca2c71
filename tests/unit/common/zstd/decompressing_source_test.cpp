#include "common/zstd/decompressing_source.hpp"

#include <doctest/doctest.h>

#include "common/diag/error.hpp"
#include "sample_frames.hpp"

namespace airgap::zstd {
namespace {

std::string content_of(std::string_view bytes) {
  io::MemorySource input(bytes);
  DecompressingSource source(input);
  return testing::rest_of(source);
}

TEST_CASE("frames that come in order give their content, with a seek table and without") {
  const auto good = testing::framed({"first", testing::noise(500'000, 1), std::string(900'000, 'a')});
  CHECK((content_of(good.bytes) == good.content));
  CHECK((content_of(good.with_table()) == good.content));
  CHECK(content_of("") == "");
}

TEST_CASE("an end inside a frame or inside the seek table is found") {
  const auto good = testing::framed({"first", "second"});
  const std::string file = good.with_table();
  for (std::size_t length = 1; length < file.size(); ++length) {
    if (length == good.bytes.size() || length == good.frames[0].stored) continue;
    CAPTURE(length);
    CHECK_THROWS_WITH_AS(content_of(file.substr(0, length)), doctest::Contains("ends inside a frame"),
                         diag::IntegrityError);
  }
}

TEST_CASE("damage and what is no zstd frame are found") {
  const auto good = testing::framed({std::string(1000, 'x')});
  std::string damaged = good.bytes;
  damaged.back() ^= 1;
  CHECK_THROWS_AS(content_of(damaged), diag::IntegrityError);
  CHECK_THROWS_AS(content_of(good.bytes + "something else"), diag::IntegrityError);
}

TEST_CASE("a frame that wants much memory is refused before it is read") {
  const std::string wants_a_gibibyte("\x28\xb5\x2f\xfd\0\xa0", 6);
  CHECK_THROWS_WITH_AS(content_of(wants_a_gibibyte + std::string(100, '\0')),
                       doctest::Contains("more than 8 MiB"), diag::UnsafeError);
}

}  // namespace
}  // namespace airgap::zstd
