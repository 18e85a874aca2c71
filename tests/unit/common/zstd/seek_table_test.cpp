#include "common/zstd/seek_table.hpp"

#include <doctest/doctest.h>

#include <functional>

#include "common/diag/error.hpp"
#include "sample_frames.hpp"

namespace airgap::zstd {
namespace {

using testing::file_of;

TEST_CASE("a seek table reads back, with no frames too") {
  const auto good = testing::framed({"first", std::string(100'000, 'x'), "third"});
  CHECK(read_seek_table(*file_of(good.with_tables())) == good.frames);
  CHECK(read_seek_table(*file_of(good.with_table())) == testing::unchecked(good.frames));
  CHECK(read_seek_table(*file_of(seek_table({}))).empty());
}

TEST_CASE("a seek table has the bytes of the seekable format") {
  CHECK(seek_table({{0x1234, 0x56}}) == std::string("\x5e\x2a\x4d\x18\x11\0\0\0"  // skippable frame, 17 bytes
                                                    "\x34\x12\0\0\x56\0\0\0"      // one frame
                                                    "\x01\0\0\0\0\xb1\xea\x92\x8f",
                                                    25));
}

TEST_CASE("a seek table that does not say what the file holds is refused") {
  const auto good = testing::framed({"first", "second"});
  const std::string file = good.with_table();
  const std::size_t table = good.bytes.size();
  struct Row {
    const char* what;
    std::string bytes;
    const char* why;
  };
  const auto with = [&](std::size_t at, int value) {
    std::string bytes = file;
    bytes[at] = static_cast<char>(value);
    return bytes;
  };
  const auto only = [](const std::vector<Frame>& frames) { return seek_table(frames); };
  for (const Row& row : {
           Row{"an empty file", "", "the file has 0 bytes"},
           {"no table", good.bytes, "does not end with one"},
           {"cut by a byte", file.substr(0, file.size() - 1), "does not end with one"},
           {"a byte more", file + "x", "does not end with one"},
           {"its front is cut", file.substr(table + 4), "more than fit the file"},
           {"another magic in front", with(table, 0), "does not begin where"},
           {"another length", with(table + 4, 24), "does not begin where"},
           {"a frame too few", with(file.size() - 9, 1), "does not begin where"},
           {"a frame too many", with(file.size() - 9, 3), "does not begin where 3 frames want it"},
           {"more frames than fit", with(file.size() - 7, 1), "more than fit the file"},
           {"a million frames", with(file.size() - 6, 1), "over the limit"},
           {"check sums", with(file.size() - 5, 0x80), "its descriptor is not 0"},
           {"a reserved bit", with(file.size() - 5, 0x04), "its descriptor is not 0"},
           {"a longer frame", with(table + 8, good.frames[0].stored + 1), "are before it"},
           {"an empty frame", with(table + 12, 0), "bytes for frame 0, with 0 of content"},
           {"a frame of nothing", with(table + 8, 0), "states 0 bytes for frame 0"},
           {"a bomb", with(table + 15, 1), "of content"},
           {"bytes before the frames", "x" + file, "are before it"},
           {"frames that are not there", only({{100, 100}}), "take 100 bytes, and 0 are before it"},
       }) {
    CAPTURE(row.what);
    CHECK_THROWS_WITH_AS(read_seek_table(*file_of(row.bytes)), doctest::Contains(row.why),
                         diag::IntegrityError);
  }
}

TEST_CASE("a check table has the bytes of the specification") {
  CHECK(check_table({{0x1234, 0x56, 0xCAFE}}) ==
        std::string("\x5d\x2a\x4d\x18\x10\0\0\0"  // skippable frame, 16 bytes
                    "frame-crc32\n"
                    "\xfe\xca\0\0",
                    24));
}

TEST_CASE("any changed bit of the tables is found") {
  const auto good = testing::framed({"first", std::string(1000, 'x'), "third"});
  const std::string file = good.with_tables();
  for (std::size_t at = good.bytes.size(); at < file.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bytes = file;
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
      const auto refused = [&] {
        try {
          return read_seek_table(*file_of(bytes)) !=
                 good.frames;  // lengths of content are the frames' to refuse
        } catch (const diag::IntegrityError&) {
          return true;
        }
      };
      CHECK(refused());
    }
  }
}

TEST_CASE("a file is told from its front, or from its end where that is damaged") {
  const std::string file = testing::framed({"first"}).with_table();
  CHECK(looks_framed(*file_of(file)));
  CHECK(looks_framed(*file_of("x" + file.substr(1))));
  CHECK(looks_framed(*file_of(file.substr(0, file.size() - 1))));
  CHECK_FALSE(looks_framed(*file_of("x" + file.substr(1, file.size() - 2))));
  CHECK_FALSE(looks_framed(*file_of("")));
  CHECK_FALSE(looks_framed(*file_of("oci-layout")));
}

}  // namespace
}  // namespace airgap::zstd
