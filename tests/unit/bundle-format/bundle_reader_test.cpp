#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>

#include "common/hash/verifying_source.hpp"
#include "common/tar/tar_layout.hpp"
#include "tests/unit/bundle-format/bundle_forms.hpp"

namespace airgap::bundle {
namespace {

namespace fs = std::filesystem;

image::Descriptor descriptor(const Sample& sample, const std::string& what) {
  const hash::Digest& digest = sample[what];
  return {.media_type = "application/vnd.oci.image.manifest.v1+json",
          .digest = digest,
          .size = sample.blobs.at(digest).size()};
}

}  // namespace

TEST_CASE("a directory and an archive give the same contents") {
  for (const Sha512 with : {Sha512::none, Sha512::layer}) {
    const Forms forms(with);
    for (const std::string& path : {forms.directory, forms.archive}) {
      INFO(path);
      const auto reader = open_bundle(path);
      CHECK(reader->info() == forms.sample.contents.info);
      CHECK(read_info(path) == forms.sample.contents.info);
      CHECK(reader->form() == (path == forms.directory ? "directory" : "archive"));
      CHECK(reader->read_manifest(descriptor(forms.sample, "index")) ==
            forms.sample.blobs.at(forms.sample["index"]));
      for (const auto& [digest, bytes] : forms.sample.blobs) {
        for (const std::uint64_t offset : {std::uint64_t{0}, bytes.size() / 2, bytes.size()}) {
          const auto source =
              reader->open_blob({.media_type = "", .digest = digest, .size = bytes.size()}, offset);
          CHECK(io::read_all(*source, 100'000, "blob") == bytes.substr(offset));
        }
      }
    }
  }
}

TEST_CASE("a bundle without images opens") {
  const test::TempDir scratch;
  Sample sample = make_sample();
  sample.contents.info.images.clear();
  sample.contents.info.blobs.clear();
  sample.contents.docker_images.clear();
  write_file(scratch.path("a.tar"), archive_of(sample));
  write_directory(files_of(sample), scratch.path("a"));
  CHECK(outcome(scratch.path("a.tar")) == "opened");
  CHECK(outcome(scratch.path("a")) == "opened");
}

TEST_CASE("read-only media are enough") {
  const Forms forms;
  for (const auto& entry : fs::recursive_directory_iterator(forms.directory))
    fs::permissions(entry, entry.is_directory() ? fs::perms{0555} : fs::perms{0444});
  CHECK(outcome(forms.directory) == "opened");
  for (const auto& entry : fs::recursive_directory_iterator(forms.directory))
    if (entry.is_directory()) fs::permissions(entry, fs::perms{0755});
}

TEST_CASE("a blob that the bundle has not got, or has in another size, is not opened") {
  const Forms forms;
  const auto reader = open_bundle(forms.archive);
  auto wanted = descriptor(forms.sample, "tool");
  wanted.size += 1;
  CHECK_THROWS_AS(reader->read_manifest(wanted), diag::UnsafeError);
  CHECK_THROWS_AS(reader->open_blob(wanted, 0), diag::UnsafeError);
  wanted.digest = hash::Digest::parse("sha256:" + std::string(64, '0'));
  CHECK_THROWS_AS(reader->read_manifest(wanted), diag::IntegrityError);
}

TEST_CASE("a manifest whose bytes changed is not handed out") {
  const Forms forms;
  std::string bytes = forms.sample.blobs.at(forms.sample["tool"]);
  bytes[10] ^= 1;
  write_file(forms.blob("tool"), bytes);
  const auto reader = open_bundle(forms.directory);
  CHECK_THROWS_WITH_AS(static_cast<void>(reader->read_manifest(descriptor(forms.sample, "tool"))),
                       doctest::Contains("; it touches "), diag::IntegrityError);
}

TEST_CASE("what is no bundle is said to be none") {
  const Forms forms;
  const std::string file = forms.scratch.path("file");
  CHECK_OUTCOME(file, "usage", "there is no bundle at");
  write_file(file, "some text");
  CHECK_OUTCOME(file, "usage", "it is no bundle");
  for (const char* cut : {"", "oci-", "oci-layout"}) {
    write_file(file, cut);
    CHECK_OUTCOME(file, "integrity", "ends in");
  }
  write_file(file, std::string(5000, 'x'));
  CHECK_OUTCOME(file, "usage", "it is no bundle");
  write_file(file, tar::header_bytes({"docker.txt", 0}, 0) + std::string(1024, '\0'));
  CHECK_OUTCOME(file, "usage", "it is no bundle");
  write_file(forms.scratch.path("other/notes.txt"), "text");
  CHECK_OUTCOME(forms.scratch.path("other"), "usage", "is no bundle");
  REQUIRE(::mkfifo(forms.scratch.path("pipe").c_str(), 0600) == 0);
  CHECK_OUTCOME(forms.scratch.path("pipe"), "usage", "neither a directory nor a file");
}

TEST_CASE("an unfinished bundle says that it is unfinished") {
  const Forms forms;
  SUBCASE("a directory with partial files") {
    write_file(forms.directory + "/.partial/lock", "");
    CHECK_OUTCOME(forms.directory, "integrity", "unfinished");
    CHECK_THROWS_AS(read_info(forms.directory), diag::IntegrityError);
  }
  SUBCASE("a directory without SHA256SUMS") {
    fs::remove(forms.directory + "/SHA256SUMS");
    CHECK_OUTCOME(forms.directory, "integrity", "unfinished");
    CHECK_THROWS_AS(read_info(forms.directory), diag::IntegrityError);
  }
  SUBCASE("an archive by its name") {
    fs::rename(forms.archive, forms.archive + ".partial");
    CHECK_OUTCOME(forms.archive + ".partial", "integrity", "unfinished");
    CHECK_OUTCOME(forms.archive, "integrity", "unfinished");
  }
  SUBCASE("an archive where a blob is not written yet") {
    std::string bytes = read_file(forms.archive);
    const std::size_t at = bytes.find(blob_path(forms.sample["big"]) + std::string(1, '\0'));
    REQUIRE(at % 512 == 0);
    bytes.replace(at, 512, 512, '\0');
    write_file(forms.archive, bytes);
    CHECK_OUTCOME(forms.archive, "integrity", "unfinished");
  }
}

TEST_CASE("files that are missing or have another size are found") {
  const Forms forms;
  SUBCASE("a blob") {
    fs::remove(forms.blob("big"));
    CHECK_OUTCOME(forms.directory, "integrity", "it is missing: a layer of 1500 bytes");
  }
  SUBCASE("the empty blob") {
    fs::remove(forms.blob("empty"));
    CHECK_OUTCOME(forms.directory, "integrity", "it is missing");
  }
  SUBCASE("a short blob") {
    fs::resize_file(forms.blob("big"), 1499);
    CHECK_OUTCOME(forms.directory, "integrity", "expected 1500 bytes, found 1499");
  }
  SUBCASE("a long blob") {
    fs::resize_file(forms.blob("empty"), 1);
    CHECK_OUTCOME(forms.directory, "integrity", "expected 0 bytes, found 1");
  }
  SUBCASE("metadata") {
    for (const char* name : {"oci-layout", "index.json", "bundle.json", "manifest.json"}) {
      const std::string bytes = read_file(forms.directory + "/" + name);
      fs::remove(forms.directory + "/" + name);
      CHECK_OUTCOME(forms.directory, "integrity", "it is missing");
      write_file(forms.directory + "/" + name, bytes);
    }
    CHECK(outcome(forms.directory) == "opened");
  }
  SUBCASE("all blobs") {
    fs::remove_all(forms.directory + "/blobs");
    CHECK_OUTCOME(forms.directory, "integrity", "it is missing");
  }
}

TEST_CASE("what does not belong into a bundle is refused") {
  const Forms forms;
  SUBCASE("a file at the top") {
    write_file(forms.directory + "/run.sh", "");
  }
  SUBCASE("a directory at the top") {
    fs::create_directory(forms.directory + "/more");
  }
  SUBCASE("a blob that bundle.json does not have") {
    write_file(forms.directory + "/blobs/sha256/" + std::string(64, '0'), "");
  }
  SUBCASE("a name that is no digest") {
    write_file(forms.directory + "/blobs/sha256/latest", "");
  }
  SUBCASE("a file beside the algorithms") {
    write_file(forms.directory + "/blobs/x", "");
  }
  SUBCASE("another algorithm") {
    fs::create_directory(forms.directory + "/blobs/md5");
  }
  SUBCASE("check sums of sha512 blobs that are not there") {
    write_file(forms.directory + "/SHA512SUMS", "");
  }
  SUBCASE("a name with an escape sequence") {
    write_file(forms.directory + "/\x1b[2J", "");
    CHECK(outcome(forms.directory).find('\x1b') == std::string::npos);
  }
  SUBCASE("a dropping that is a link") {
    fs::create_symlink("/etc/passwd", forms.directory + "/.DS_Store");
  }
  CHECK_OUTCOME(forms.directory, "unsafe", "bundle");
}

TEST_CASE("a name in capital letters changed on the way, and is told as that") {
  const Forms forms;
  write_file(forms.directory + "/blobs/sha256/" + std::string(64, 'A'), "");
  CHECK_OUTCOME(forms.directory, "integrity", "its name changed on the way");
}

TEST_CASE("links and devices are refused wherever they stand") {
  const Forms forms;
  const auto replace_by_link = [&](const std::string& name) {
    fs::rename(forms.directory + "/" + name, forms.scratch.path("aside"));
    fs::create_symlink(forms.scratch.path("aside"), forms.directory + "/" + name);
  };
  SUBCASE("bundle.json") {
    replace_by_link("bundle.json");
  }
  SUBCASE("SHA256SUMS") {
    replace_by_link("SHA256SUMS");
  }
  SUBCASE("a blob") {
    replace_by_link(blob_path(forms.sample["big"]));
  }
  SUBCASE("blobs") {
    replace_by_link("blobs");
  }
  SUBCASE("blobs/sha256") {
    replace_by_link("blobs/sha256");
  }
  SUBCASE("a blob that is a pipe") {
    fs::remove(forms.blob("big"));
    REQUIRE(::mkfifo(forms.blob("big").c_str(), 0600) == 0);
  }
  SUBCASE("a blob that is a directory") {
    fs::remove(forms.blob("big"));
    fs::create_directory(forms.blob("big"));
  }
  const std::string said = outcome(forms.directory);
  CHECK_MESSAGE((said.starts_with("unsafe: ") || said.starts_with("integrity: ")), said);
  CHECK_THROWS(open_bundle(forms.directory));
}

TEST_CASE("a link to a bundle that the user names is followed") {
  const Forms forms;
  fs::create_symlink(forms.directory, forms.scratch.path("one"));
  fs::create_symlink(forms.archive, forms.scratch.path("two.tar"));
  CHECK(outcome(forms.scratch.path("one")) == "opened");
  CHECK(outcome(forms.scratch.path("two.tar")) == "opened");
}

TEST_CASE("what operating systems leave behind is no obstacle, nor is a signature") {
  const Forms forms;
  for (const char* name :
       {"Thumbs.db", "._index.json", "System Volume Information/IndexerVolumeGuid", ".Trash-1000/files/x",
        "blobs/.DS_Store", "blobs/sha256/._x", "lost+found/y", "SHA256SUMS.sig"})
    write_file(forms.directory + "/" + name, "x");
  CHECK(outcome(forms.directory) == "opened");
}

TEST_CASE("metadata that disagrees is refused even where the check sums are right") {
  const test::TempDir scratch;
  const Sample sample = make_sample();
  auto files = files_of(sample);
  const auto bytes_of = [&](const std::string& name) -> std::string& {
    for (SampleFile& file : files)
      if (file.name == name) return file.bytes;
    throw std::out_of_range(name);
  };
  const auto replace = [](std::string& text, const std::string& from, const std::string& to) {
    REQUIRE(text.find(from) != std::string::npos);
    text.replace(text.find(from), from.size(), to);
  };
  SUBCASE("index.json") {
    replace(bytes_of("index.json"), "org/tool:2", "org/tool:3");
  }
  SUBCASE("manifest.json") {
    replace(bytes_of("manifest.json"), blob_path(sample["big"]), "../../../../etc/shadow");
  }
  SUBCASE("oci-layout") {
    replace(bytes_of("oci-layout"), "1.0.0", "9.0.0");
  }
  SUBCASE("bundle.json") {
    replace(bytes_of("bundle.json"), "\"format\": 1", "\"format\": 9");
  }
  SUBCASE("a blob of SHA256SUMS") {
    std::erase_if(files, [&](const SampleFile& file) { return file.name == blob_path(sample["big"]); });
  }
  seal(files, sample.contents.info);
  write_directory(files, scratch.path("a"));
  CHECK(outcome(scratch.path("a")) != "opened");
  write_file(scratch.path("a.tar"), archive_of(files, sample.contents.info));
  CHECK(outcome(scratch.path("a.tar")) != "opened");
}

}  // namespace airgap::bundle
