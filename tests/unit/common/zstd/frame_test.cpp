#include "common/zstd/frame.hpp"

#include <doctest/doctest.h>

#include "common/diag/error.hpp"
#include "common/zstd/frame_scan.hpp"
#include "sample_frames.hpp"

namespace airgap::zstd {
namespace {

using testing::framed;

TEST_CASE("a frame begins as the length of its content says, whatever the content and the effort") {
  FrameCompressor compressor;
  for (const std::size_t size :
       {1UL, 255UL, 256UL, 257UL, 65791UL, 65792UL, 65793UL, 300'000UL, k_max_content}) {
    for (const std::string& content : {std::string(size, 'a'), testing::noise(size, 1)}) {
      for (const Effort effort : {Effort::none, Effort::normal}) {
        CAPTURE(size);
        const auto frame = compressor.compress(io::bytes_of(content), effort);
        CHECK(io::text_of(frame).starts_with(frame_header(static_cast<std::uint32_t>(size))));
        CHECK(content_of_header(frame) == size);
      }
    }
  }
}

TEST_CASE("what is compressed already is copied, and grows by what was said before") {
  FrameCompressor compressor;
  const std::string content = testing::noise(k_max_content, 1);
  CHECK(compressor.compress(io::bytes_of(content), Effort::none).size() == stored_at_most(k_max_content));
}

TEST_CASE("no frame holds nothing, or more than the limit") {
  FrameCompressor compressor;
  CHECK_THROWS_AS(compressor.compress({}, Effort::normal), diag::InternalError);
  CHECK_THROWS_AS(compressor.compress(io::bytes_of(std::string(k_max_content + 1, 'a')), Effort::normal),
                  diag::InternalError);
}

TEST_CASE("a header of another form is none") {
  const std::string good = frame_header(300);
  struct Row {
    const char* what;
    std::string bytes;
  };
  const auto changed = [&](std::size_t at, int bits) {
    std::string bytes = good;
    bytes[at] = static_cast<char>(bytes[at] ^ bits);
    return bytes;
  };
  for (const Row& row :
       {Row{"another magic", changed(0, 1)},
        {"no check sum", changed(4, 0x04)},
        {"a bit that has no meaning", changed(4, 0x10)},
        {"a window", changed(4, 0x20)},
        {"a dictionary", changed(4, 0x01)},
        {"no content", frame_header(0)},
        {"more content than a frame holds", frame_header(k_max_content + 1)},
        {"a length that is written too long", std::string("\x28\xb5\x2f\xfd\xa4\x01\0\0\0", 9)},
        {"it is cut", good.substr(0, 6)},
        {"nothing", ""}}) {
    CAPTURE(row.what);
    CHECK(content_of_header(io::bytes_of(row.bytes)) == std::nullopt);
  }
}

TEST_CASE("a table finds the frame that holds a byte") {
  const FrameTable table({{10, 100}, {20, 1}, {30, 50}});
  CHECK(table.content_size() == 151);
  CHECK(table.stored_size() == 60);
  struct Row {
    std::uint64_t at;
    std::size_t index;
  };
  for (const auto& [at, index] : {Row{0, 0}, {99, 0}, {100, 1}, {101, 2}, {150, 2}}) {
    CAPTURE(at);
    CHECK(table.index_at(at) == index);
  }
  CHECK(table[2].stored_at == 30);
  CHECK(table[2].content_at == 101);
}

TEST_CASE("whole frames are found without a table, up to the first that is cut or is none") {
  const auto good = framed({"first", std::string(300'000, 'a') + testing::noise(300'000, 2), "third"});
  const std::vector<Frame> three = testing::unchecked(good.frames);
  const std::vector<Frame> two(three.begin(), three.begin() + 2);
  CHECK(scan_frames(*testing::file_of(good.bytes)) == three);
  CHECK(scan_frames(*testing::file_of(good.with_tables())) == three);
  CHECK(scan_frames(*testing::file_of(good.bytes + "something else")) == three);
  CHECK(scan_frames(*testing::file_of(good.bytes.substr(0, good.bytes.size() - 1))) == two);
  CHECK(scan_frames(*testing::file_of("")).empty());
  CHECK(scan_frames(*testing::file_of("no frame at all, but long enough")).empty());
}

}  // namespace
}  // namespace airgap::zstd
