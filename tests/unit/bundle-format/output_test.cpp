#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>

#include "common/diag/error.hpp"
#include "tests/unit/bundle-format/writer_fixture.hpp"

using namespace airgap;
using namespace airgap::bundle;
using namespace airgap::bundle::testing;
namespace fs = std::filesystem;

TEST_CASE("the path says which form a bundle takes") {
  const TempDirectory temp;
  fs::create_directory(temp.path("there"));
  fs::create_directory_symlink(temp.path("there"), temp.path("link"));
  CHECK(output_form("-") == OutputForm::pipe);
  CHECK(output_form(temp.path("out.tar")) == OutputForm::archive);
  CHECK(output_form("out.tar") == OutputForm::archive);
  CHECK(output_form(temp.path("out.tar.zst")) == OutputForm::compressed_archive);
  CHECK(output_form(temp.path("out.tar/")) == OutputForm::directory);
  for (const char* name : {"new", "new/deep/er", "there", "there/", "link", "link/", "v1.2"}) {
    CAPTURE(name);
    CHECK(output_form(temp.path(name)) == OutputForm::directory);
  }
}

TEST_CASE("a path that no bundle can be written to is a usage error that says why") {
  const TempDirectory temp;
  write_file(temp.path("file"), "x");
  write_file(temp.path("real.tar"), "x");
  fs::create_directory(temp.path("dir.tar"));
  fs::create_symlink(temp.path("real.tar"), temp.path("link.tar"));
  fs::create_symlink(temp.path("real.tar"), temp.path("planted.tar.partial"));
  fs::create_symlink(temp.path("nowhere"), temp.path("dangling"));
  REQUIRE(::mkfifo(temp.path("fifo.tar").c_str(), 0600) == 0);
  struct Refused {
    std::string path;
    const char* why;
  };
  const std::vector<Refused> refused{
      {"", "that is no path"},
      {"/", "it is the root directory"},
      {"/tmp/..", "it is the root directory"},
      {temp.path("file"), "it is there already and is no directory"},
      {temp.path("dir.tar"), "it is a directory"},
      {temp.path("link.tar"), "it is a symbolic link"},
      {temp.path("planted.tar"), "it is a symbolic link"},
      {temp.path("dangling"), "leads to no directory"},
      {temp.path("fifo.tar"), "it is no regular file"},
      {temp.path("absent/out.tar"), "there is no directory"},
      {temp.path("out.tar.zst.partial"), ".tar.zst.partial is not written"},
      {temp.path("out.tar.gz"), ".tar.gz is not written"},
      {temp.path("out.tgz"), ".tgz is not written"},
      {temp.path("OUT.TGZ"), ".tgz is not written"},
      {temp.path("OUT.TAR"), "an archive's ending is written in lower case"},
      {temp.path("out.tar.ZST"), "an archive's ending is written in lower case"},
      {temp.path("out.tar.partial"), ".tar.partial is not written"},
  };
  for (const Refused& row : refused) {
    CAPTURE(row.path);
    CHECK_THROWS_WITH_AS(output_form(row.path), doctest::Contains(row.why), diag::UsageError);
  }
}

TEST_CASE("a path is followed as the kernel follows it: what is above a link is above what it names") {
  const TempDirectory temp;
  fs::create_directories(temp.path("bundle/blobs"));
  write_file(temp.path("bundle/bundle.json"), "{}");
  write_file(temp.path("bundle/oci-layout"), "{}");
  fs::create_directory_symlink(temp.path("bundle/blobs"), temp.path("link"));
  for (const char* inside : {"link/out.tar", "link/../out.tar", "link/../new/", "bundle/blobs/../out.tar"}) {
    CAPTURE(inside);
    CHECK_THROWS_WITH_AS(output_form(temp.path(inside)), doctest::Contains("is a bundle"), diag::UsageError);
  }
  CHECK(output_form(temp.path("link/../../out.tar")) == OutputForm::archive);
  fs::create_directory_symlink("/dev/shm", temp.path("elsewhere"));
  const auto medium = medium_of_output(temp.path("elsewhere/../shm/out.tar"));
  REQUIRE(medium);
  CHECK(medium->file_system == io::medium_of("/dev/shm").file_system);
}

TEST_CASE("a name that is too long, with what is put behind it meanwhile, is refused") {
  const TempDirectory temp;
  const std::string name(241, 'n');
  CHECK_THROWS_WITH_AS(check_writable(temp.path(name + ".tar"), OutputForm::archive),
                       doctest::Contains("names of 255 bytes at most, and 15 are put behind it"),
                       diag::StorageError);
  CHECK_THROWS_WITH_AS(
      check_writable(temp.path(std::string(230, 'n') + ".tar.zst"), OutputForm::compressed_archive),
      doctest::Contains("names of 255 bytes at most, and 21 are put behind it"), diag::StorageError);
  CHECK_NOTHROW(check_writable(temp.path(name), OutputForm::directory));
  CHECK_THROWS_AS(check_writable(temp.path(std::string(256, 'n')), OutputForm::directory),
                  diag::StorageError);
  CHECK_NOTHROW(check_writable(temp.path("a:b?.tar"), OutputForm::archive));
}
