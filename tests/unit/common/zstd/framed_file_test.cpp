#include "common/zstd/framed_file.hpp"

#include <doctest/doctest.h>

#include "common/diag/error.hpp"
#include "sample_frames.hpp"

namespace airgap::zstd {
namespace {

using testing::file_of;
using testing::framed;
using testing::rest_of;

TEST_CASE("any range of what the frames hold is read") {
  const auto good = framed({"first", std::string(700'000, 'a') + testing::noise(400'000, 1),
                            testing::noise(k_max_content, 2), "z"});
  const FramedFile file(file_of(good.with_table()), good.frames);
  CHECK(file.size() == good.content.size());
  struct Row {
    std::uint64_t offset;
    std::uint64_t length;
  };
  for (const auto& [offset, length] : {Row{0, 0},
                                       {0, 5},
                                       {0, 1},
                                       {4, 2},
                                       {5, 700'000},
                                       {700'010, 399'990},
                                       {1'000'000, 2'000'000},
                                       {0, good.content.size()},
                                       {good.content.size() - 1, 1},
                                       {good.content.size() - 1, 100},
                                       {good.content.size(), 10},
                                       {good.content.size() + 1, 10}}) {
    CAPTURE(offset);
    CAPTURE(length);
    const std::string expected =
        offset > good.content.size() ? std::string() : good.content.substr(offset, length);
    CHECK((rest_of(*file.open(offset, length)) == expected));
  }
}

TEST_CASE("a read stays inside one frame, so that damage does not reach what is before it") {
  auto good = framed({"first", "second"});
  good.bytes[good.frames[0].stored + 8] ^= 1;
  const FramedFile file(file_of(good.bytes), good.frames);
  const auto source = file.open(0, 11);
  std::vector<std::byte> buffer(io::k_min_read);
  CHECK(source->read(buffer) == 5);
  CHECK_THROWS_WITH_AS(source->read(buffer),
                       doctest::Contains("the zstd frame at byte 18 of the file is damaged"),
                       diag::IntegrityError);
}

TEST_CASE("the last bytes of a frame come only after its check sum") {
  auto good = framed({std::string(1000, 'x')});
  good.bytes.back() ^= 1;
  const FramedFile file(file_of(good.bytes), good.frames);
  CHECK_NOTHROW(rest_of(*file.open(0, 999)));
  CHECK_THROWS_WITH_AS(rest_of(*file.open(0, 1000)), doctest::Contains("hecksum"), diag::IntegrityError);
}

TEST_CASE("a bit that changes nothing of what comes out is found by the check of the frame") {
  const auto good = framed({"a text, and a text, and another text, and a text, " + testing::noise(50, 1)});
  const auto unchecked = testing::unchecked(good.frames);
  std::size_t silent = 0;
  for (std::size_t bit = 0; bit < 8 * good.bytes.size(); ++bit) {
    std::string bytes = good.bytes;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    const auto file = file_of(bytes);
    CHECK_THROWS_AS(rest_of(*FramedFile(file, good.frames).open(0, 1000)), diag::IntegrityError);
    try {
      if (rest_of(*FramedFile(file, unchecked).open(0, 1000)) == good.content) ++silent;
    } catch (const diag::IntegrityError&) {  // most bits are found without it
    }
  }
  CHECK(silent > 0);
}

TEST_CASE("a frame that is not as long as its table says is damaged") {
  const auto good = framed({std::string(1000, 'x'), "second"});
  struct Row {
    const char* what;
    std::vector<Frame> frames;
  };
  const auto stored = good.frames[0].stored;
  for (const Row& row : {Row{"shorter content", {{stored, 999}}},
                         {"longer content", {{stored, 1001}}},
                         {"shorter frame", {{stored - 1, 1000}}},
                         {"longer frame", {{stored + 1, 1000}}},
                         {"beyond the end", {{stored + 1'000'000, 1000}}}}) {
    CAPTURE(row.what);
    const FramedFile file(file_of(good.bytes), row.frames);
    CHECK_THROWS_AS(rest_of(*file.open(0, 2000)), diag::IntegrityError);
  }
}

}  // namespace
}  // namespace airgap::zstd
