#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/bundle-format/bundle_forms.hpp"

namespace airgap::bundle {
namespace {

namespace fs = std::filesystem;

TEST_CASE("a member that is not where it should be in an archive is found") {
  const test::TempDir scratch;
  const Sample sample = make_sample();
  const BundleInfo& info = sample.contents.info;
  auto files = files_of(sample);
  std::string bytes;
  SUBCASE("two blobs in another order") {
    std::swap(files[files.size() - 1], files[files.size() - 2]);
    bytes = archive_of(files, info);
  }
  SUBCASE("the head in another order") {
    std::swap(files[1], files[2]);
    bytes = archive_of(files, info);
  }
  SUBCASE("a member twice") {
    files.push_back(files.back());
    bytes = archive_of(files, info);
  }
  SUBCASE("a member twice in the head") {
    files.insert(files.begin() + 1, files.front());
    bytes = archive_of(files, info);
  }
  SUBCASE("an extra member") {
    files.push_back({"../../etc/cron.d/x", "* * * * * root true"});
    bytes = archive_of(files, info);
  }
  SUBCASE("a missing member") {
    files.pop_back();
    bytes = archive_of(files, info);
  }
  SUBCASE("a link in place of a blob") {
    bytes = archive_of(files, info);
    const std::size_t header = bytes.find(blob_path(sample["big"]) + std::string(1, '\0'));
    bytes[header + 156] = '2';
    bytes.replace(header + 157, 11, "/etc/passwd");
  }
  SUBCASE("a second archive behind it") {
    bytes = archive_of(sample) + archive_of(sample);
  }
  SUBCASE("one byte behind it") {
    bytes = archive_of(sample) + "x";
  }
  SUBCASE("zeros behind it, as tar pads") {
    bytes = archive_of(sample) + std::string(8192, '\0');
  }
  SUBCASE("headers of another time") {
    BundleInfo later = info;
    later.created = "2026-01-31T12:00:01Z";
    bytes = archive_of(files, later);
  }
  write_file(scratch.path("a.tar"), bytes);
  const std::string said = outcome(scratch.path("a.tar"));
  CHECK_MESSAGE((said.starts_with("unsafe: ") || said.starts_with("integrity: ")), said);
}

TEST_CASE("an archive is refused wherever it is cut") {
  const test::TempDir scratch;
  const std::string bytes = archive_of(make_sample());
  const std::string path = scratch.path("a.tar");
  write_file(path, bytes);
  for (std::size_t length = bytes.size(); length-- > 0;) {
    fs::resize_file(path, length);
    CHECK_THROWS_AS(open_bundle(path), diag::IntegrityError);
  }
}

TEST_CASE("a cut archive says how long it is and should be") {
  const Forms forms;
  const auto whole = fs::file_size(forms.archive);
  fs::resize_file(forms.archive, whole - 1024);
  CHECK_OUTCOME(forms.archive, "integrity",
                "got " + std::to_string(whole - 1024) + " of " + std::to_string(whole) + " bytes");
}

TEST_CASE("every flipped bit in the head of an archive is noticed on opening") {
  const test::TempDir scratch;
  const Sample sample = make_sample();
  std::string bytes = archive_of(sample);
  std::size_t head =
      bytes.find("blobs/sha256/" + sample.contents.info.blobs.front().digest.hex() + std::string(1, '\0'));
  REQUIRE(head % 512 == 0);
  const std::string path = scratch.path("a.tar");
  write_file(path, bytes);
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  const auto put = [&](std::size_t at, char byte) {
    file.seekp(static_cast<std::streamoff>(at));
    file.put(byte).flush();
  };
  for (std::size_t at = 0; at < head; ++at) {
    const int bit = static_cast<int>(at % 8);  // a different one each time; all of a byte fare alike
    put(at, static_cast<char>(bytes[at] ^ (1 << bit)));
    const std::string said = outcome(path);
    CHECK_MESSAGE((said.starts_with("integrity: ") || said.starts_with("unsafe: ")), at, said);
    put(at, bytes[at]);
  }
  CHECK(outcome(path) == "opened");
}

}  // namespace
}  // namespace airgap::bundle
