#include "bundle-format/skopeo_tree/shared_file.hpp"

#include <doctest/doctest.h>

#include <filesystem>

#include "common/hash/hasher.hpp"
#include "common/hash/verifying_source.hpp"
#include "tests/unit/bundle-format/writer_fixture.hpp"

using namespace airgap;
using namespace airgap::skopeo_tree;
using namespace airgap::bundle::testing;
namespace fs = std::filesystem;

namespace {

constexpr const char* k_bytes = "the bytes of a layer";

bundle::Blob blob() {
  const std::string bytes = k_bytes;
  return {hash::sha256_of(bytes), bytes.size(), bundle::BlobKind::layer, bytes.size()};
}

}  // namespace

TEST_CASE("a blob gets a second place: a link, or without links a copy; what was there is replaced") {
  for (const bool links : {true, false}) {
    CAPTURE(links);
    const TempDirectory temp;
    write_file(temp.path("first"), k_bytes);
    fs::create_directory(temp.path("folder"));
    write_file(temp.path("folder/file"), "x");
    const io::Directory top = io::Directory::open(temp.path());
    for (const char* to : {"absent", "cut"}) {
      if (std::string(to) == "cut") write_file(temp.path("cut"), "the by");
      share_blob(top, blob(), "first", to, links, "temporary");
      CHECK(file_text(temp.path(to)) == k_bytes);
    }
    CHECK(fs::hard_link_count(temp.path("first")) == (links ? 3 : 1));
    CHECK_FALSE(fs::exists(temp.path("temporary")));
    CHECK(links_work(top, "folder", "file"));
  }
}

TEST_CASE("a copy of bytes that are not the blob's is not made") {
  const TempDirectory temp;
  write_file(temp.path("first"), "the bytes of a laser");
  const io::Directory top = io::Directory::open(temp.path());
  CHECK_THROWS_AS(share_blob(top, blob(), "first", "second", false, "temporary"), hash::DigestMismatch);
  CHECK_FALSE(fs::exists(temp.path("second")));
}

TEST_CASE("a blob that lies there is read to be proven") {
  const TempDirectory temp;
  const io::Directory top = io::Directory::open(temp.path());
  write_file(temp.path("whole"), k_bytes);
  CHECK_NOTHROW(prove_blob(top, blob(), "whole"));
  std::string flipped(k_bytes);
  flipped.back() ^= 1;
  write_file(temp.path("flipped"), flipped);
  CHECK_THROWS_AS(prove_blob(top, blob(), "flipped"), hash::DigestMismatch);
  write_file(temp.path("longer"), std::string(k_bytes) + "!");
  CHECK_THROWS_AS(prove_blob(top, blob(), "longer"), diag::IntegrityError);
}
