#include "common/tar/tar_layout.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <doctest/doctest.h>

#include "common/diag/error.hpp"
#include "common/raii/c_handle.hpp"

namespace airgap::tar {
namespace {

constexpr std::uint64_t k_gib = 1024 * 1024 * 1024;
constexpr std::uint64_t k_time = 1'700'000'000;

std::string long_name() {
  return "blobs/sha512/" + std::string(128, 'a');
}

/// What an independent reader makes of a whole archive.
struct Seen {
  Member member;
  std::int64_t mtime;
  unsigned mode;
  std::string content;
};
std::vector<Seen> read_with_libarchive(const std::string& bytes) {
  const raii::CHandle<archive, archive_read_free> reader(archive_read_new());
  REQUIRE(archive_read_support_format_tar(reader.get()) == ARCHIVE_OK);
  REQUIRE(archive_read_open_memory(reader.get(), bytes.data(), bytes.size()) == ARCHIVE_OK);
  std::vector<Seen> seen;
  archive_entry* entry = nullptr;
  while (archive_read_next_header(reader.get(), &entry) == ARCHIVE_OK) {
    Seen& one = seen.emplace_back();
    one.member = {archive_entry_pathname(entry), static_cast<std::uint64_t>(archive_entry_size(entry))};
    one.mtime = archive_entry_mtime(entry);
    one.mode = archive_entry_perm(entry);
    CHECK(archive_entry_filetype(entry) == AE_IFREG);
    CHECK(archive_entry_uid(entry) == 0);
    if (one.member.size > bytes.size()) break;  // its bytes are not here
    one.content.resize(one.member.size);
    CHECK(archive_read_data(reader.get(), one.content.data(), one.content.size()) ==
          static_cast<la_ssize_t>(one.content.size()));
  }
  return seen;
}

std::string archive_of(const std::vector<std::pair<std::string, std::string>>& files) {
  std::string bytes;
  for (const auto& [name, content] : files) {
    bytes += header_bytes({name, content.size()}, k_time) + content;
    bytes.resize(padded(bytes.size()), '\0');
  }
  return bytes + std::string(k_end_size, '\0');
}

}  // namespace

TEST_CASE("another reader sees every member with its name, size, mode, owner, time and bytes") {
  const std::vector<std::pair<std::string, std::string>> files{{"empty", ""},
                                                               {"one", "x"},
                                                               {"block", std::string(512, 'b')},
                                                               {"more", std::string(513, 'm')},
                                                               {long_name(), "long"},
                                                               {std::string(100, 'n'), "hundred"}};
  const std::vector<Seen> seen = read_with_libarchive(archive_of(files));
  REQUIRE(seen.size() == files.size());
  for (std::size_t i = 0; i < files.size(); ++i) {
    CHECK(seen[i].member == Member{files[i].first, files[i].second.size()});
    CHECK(seen[i].content == files[i].second);
    CHECK(seen[i].mtime == static_cast<std::int64_t>(k_time));
    CHECK(seen[i].mode == 0644U);
  }
}

TEST_CASE("another reader sees the size of a member of 8 GiB and more") {
  for (const std::uint64_t size : {k_max_ustar_size, k_max_ustar_size + 1, 5000 * k_gib}) {
    const std::vector<Seen> seen =
        read_with_libarchive(header_bytes({long_name(), size}, 0) + std::string(1024, '\0'));
    REQUIRE(seen.size() == 1);
    CHECK(seen[0].member == Member{long_name(), size});
  }
}

TEST_CASE("a layout has the offsets that the written bytes have") {
  const std::vector<Member> members{{"a", 0},           {"b", 1},           {"c", 512},
                                    {long_name(), 513}, {"big", 8 * k_gib}, {"last", 7}};
  const Layout layout = lay_out(members);
  std::uint64_t at = 0;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const Place& place = layout.places[i];
    CHECK(place.header == at);
    CHECK(place.header_size == header_bytes(members[i], k_time).size());
    CHECK(place.data == place.header + place.header_size);
    CHECK(place.size == members[i].size);
    at = place.end();
    CHECK(at % k_block == 0);
  }
  CHECK(layout.end == at + 1024);
  CHECK(layout.places[0].header_size == 512);
  CHECK(layout.places[3].header_size == 1536);
  CHECK(layout.places[4].header_size == 1536);
  CHECK(lay_out({}).end == 1024);
}

TEST_CASE("an archive too long for 63 bits is not laid out") {
  CHECK_THROWS_AS(lay_out({{"huge", ~std::uint64_t{0}}}), diag::InternalError);
  CHECK_THROWS_AS(lay_out({{"a", std::uint64_t{1} << 61}, {"b", std::uint64_t{1} << 61}, {"c", 1}}),
                  diag::InternalError);
}

TEST_CASE("the header of a small member is this block") {
  const std::string header = header_bytes({"index.json", 1234}, k_time);
  REQUIRE(header.size() == 512);
  const auto field = [&](std::size_t offset, std::size_t length) { return header.substr(offset, length); };
  CHECK(field(0, 12) == std::string("index.json\0\0", 12));
  CHECK(field(100, 8) == std::string("0000644\0", 8));
  CHECK(field(108, 16) == std::string("0000000\0000000000\0", 16));
  CHECK(field(124, 12) == std::string("00000002322\0", 12));
  CHECK(field(136, 12) == std::string("14524770400\0", 12));
  CHECK(field(156, 1) == "0");
  CHECK(field(257, 8) == std::string("ustar\00000", 8));
  CHECK(header == header_bytes({"index.json", 1234}, k_time));
}

TEST_CASE("names and times that a header cannot hold are refused") {
  CHECK_THROWS_AS(header_bytes({"", 1}, 0), diag::InternalError);
  CHECK_THROWS_AS(header_bytes({std::string("a\0b", 3), 1}, 0), diag::InternalError);
  CHECK_THROWS_AS(header_bytes({"a", 1}, k_max_mtime + 1), diag::InternalError);
  CHECK_NOTHROW(header_bytes({"a", 1}, k_max_mtime));
}

TEST_CASE("a header reads back, and with any bit flipped it does not read back as it was") {
  const std::string header = header_bytes({"bundle.json", 4711}, k_time);
  const auto parsed = parse_header(header);
  REQUIRE(parsed.has_value());
  CHECK(parsed->member == Member{"bundle.json", 4711});
  CHECK(parsed->mtime == k_time);
  for (std::size_t bit = 0; bit < header.size() * 8; ++bit) {
    std::string flipped = header;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    CHECK_FALSE(parse_header(flipped).has_value());
  }
}

TEST_CASE("what is not a header of one block of ours reads as nothing") {
  const std::string good = header_bytes({"a", 1}, k_time);
  CHECK_FALSE(parse_header("").has_value());
  CHECK_FALSE(parse_header(std::string(512, '\0')).has_value());
  CHECK_FALSE(parse_header(std::string(512, '\xff')).has_value());
  CHECK_FALSE(parse_header(good.substr(1)).has_value());
  CHECK_FALSE(parse_header(good + good).has_value());
  CHECK_FALSE(parse_header(header_bytes({long_name(), 1}, k_time).substr(0, 512)).has_value());  // pax
}

}  // namespace airgap::tar
