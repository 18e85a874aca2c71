#include <doctest/doctest.h>

#include <filesystem>

#include "common/diag/error.hpp"
#include "common/hash/hasher.hpp"
#include "tests/unit/bundle-format/writer_fixture.hpp"

using namespace airgap;
using namespace airgap::bundle;
using namespace airgap::bundle::testing;
namespace fs = std::filesystem;

TEST_CASE("a directory bundle holds each blob once, its metadata, and no leftovers") {
  const TempDirectory temp;
  const Sample wanted = two_images();
  CHECK(write_bundle(temp.path("a/b/out"), wanted, 4) == 5);
  CHECK(fault_of(temp.path("a/b/out")) == "");
  const auto files = tree_of(temp.path("a/b/out"));
  CHECK(files.size() == wanted.contents.info.blobs.size() + 5);
  for (const auto& [digest, bytes] : wanted.bytes) CHECK(files.at(blob_path(digest)) == bytes);
  CHECK_FALSE(fs::exists(temp.path("a/b/out/.partial")));
}

TEST_CASE("what an earlier run left is not believed: wrong bytes are fetched again from zero, once") {
  const TempDirectory temp;
  const Sample wanted = two_images();
  const std::string layer = noise(700'000, 1);
  const Blob blob = wanted.blob_of(layer);
  const auto writer = open_writer({temp.path("out")});
  writer->begin(wanted.contents);
  const std::string partial = temp.path("out/.partial/sha256-" + blob.digest.hex());

  SUBCASE("a damaged part") {
    write_file(partial, std::string(300'000, 'x'));
  }
  SUBCASE("a damaged whole") {
    write_file(partial, std::string(layer.size(), 'x'));
  }
  SUBCASE("more than the whole") {
    write_file(partial, layer + "x");
  }
  FaultyBlob source(layer);
  writer->put_blob(blob, source.opener(), transport::no_observer());
  CHECK(source.offsets().back() == 0);
  CHECK(source.offsets().size() <= 2);
  for (const Blob& other : wanted.fetched())
    writer->put_blob(other, wanted.opener(other), transport::no_observer());
  writer->commit();
  CHECK(fault_of(temp.path("out")) == "");
}

TEST_CASE(
    "a finished bundle that holds the contents keeps every byte, whatever number and time the plan carries") {
  const TempDirectory temp;
  write_bundle(temp.path("out"), two_images());
  const auto before = tree_of(temp.path("out"));
  const auto seal_time = fs::last_write_time(temp.path("out/SHA256SUMS"));

  Sample again = two_images();
  again.contents.info.sequence = 2;
  again.contents.info.created = "2027-01-01T00:00:00Z";
  const auto writer = open_writer({temp.path("out")});
  CHECK(writer->finished());
  CHECK(writer->existing() == two_images().contents.info);
  CHECK(write_all(*writer, again) == 0);
  CHECK(tree_of(temp.path("out")) == before);
  CHECK(fs::last_write_time(temp.path("out/SHA256SUMS")) == seal_time);
}

TEST_CASE("an update fetches what is new, drops what is no longer listed, and takes a higher number") {
  const TempDirectory temp;
  const Sample old = two_images();
  write_bundle(temp.path("out"), old);
  write_file(temp.path("out/SHA256SUMS.sig"), "signs the old contents");
  const Sample next =
      sample({{"example.com/app:1", {"base", noise(700'000, 1)}}, {"example.com/new:3", {"base", "fresh"}}});
  CHECK(write_bundle(temp.path("out"), next) == 2);
  CHECK(fault_of(temp.path("out")) == "");
  CHECK_FALSE(fs::exists(temp.path("out/SHA256SUMS.sig")));
  CHECK_FALSE(fs::exists(temp.path("out/" + blob_path(old.blob_of(noise(90'000, 2)).digest))));
  CHECK(open_writer({temp.path("out")})->existing()->sequence == 2);
}

TEST_CASE("blobs with sha512 digests come with check sums of their own, and take them along when they go") {
  const TempDirectory temp;
  const ImageSpec old{"example.com/app:1", {"one", "two"}, hash::Algorithm::sha512};
  for (const char* output : {"out", "out.tar"}) {
    CAPTURE(output);
    write_bundle(temp.path(output), sample({old}));
    CHECK(fault_of(temp.path(output)) == "");
  }
  CHECK(fs::exists(temp.path("out/SHA512SUMS")));
  write_bundle(temp.path("out"), two_images());
  CHECK(fault_of(temp.path("out")) == "");
  CHECK_FALSE(fs::exists(temp.path("out/SHA512SUMS")));
  CHECK_FALSE(fs::exists(temp.path("out/blobs/sha512")));
}

TEST_CASE("an update that is not finished leaves no sealed bundle") {
  const TempDirectory temp;
  write_bundle(temp.path("out"), two_images());
  open_writer({temp.path("out")})->begin(sample({{"example.com/new:3", {"fresh"}}}).contents);
  CHECK_FALSE(fs::exists(temp.path("out/SHA256SUMS")));
  const auto writer = open_writer({temp.path("out")});
  CHECK_FALSE(writer->finished());
  CHECK(writer->existing() == two_images().contents.info);
  CHECK(writer->has_blob(two_images().blob_of("base")));
}

TEST_CASE("manifests that an earlier run left are given back, unless they are damaged") {
  const TempDirectory temp;
  const Sample wanted = two_images();
  write_bundle(temp.path("out"), wanted);
  const hash::Digest digest = wanted.contents.info.images.front().digest;
  CHECK(open_writer({temp.path("out")})->existing_manifest(digest) == *wanted.contents.manifests.at(digest));
  std::string damaged = *wanted.contents.manifests.at(digest);
  damaged[3] ^= 1;
  write_file(temp.path("out/" + blob_path(digest)), damaged);
  CHECK(open_writer({temp.path("out")})->existing_manifest(digest) == std::nullopt);
  CHECK(open_writer({temp.path("out")})->existing_manifest(hash::sha256_of("none")) == std::nullopt);
}

TEST_CASE("a published file of the wrong size is fetched again") {
  const TempDirectory temp;
  const Sample wanted = two_images();
  write_bundle(temp.path("out"), wanted);
  write_file(temp.path("out/" + blob_path(wanted.blob_of("base").digest)), "ba");
  CHECK(write_bundle(temp.path("out"), wanted) == 1);
  CHECK(fault_of(temp.path("out")) == "");
}

TEST_CASE("a directory with other things in it is refused and left alone") {
  const TempDirectory temp;
  const std::string out = temp.path("out");
  fs::create_directory(out);
  SUBCASE("a document") {
    write_file(out + "/thesis.odt", "years of work");
  }
  SUBCASE("somebody's OCI layout") {
    write_file(out + "/oci-layout", "{}");
    write_file(out + "/index.json", "{}");
    fs::create_directories(out + "/blobs/sha256");
  }
  SUBCASE("a strange file among the blobs of a bundle") {
    write_bundle(out, two_images());
    write_file(out + "/blobs/sha256/notes.txt", "mine");
  }
  SUBCASE("a link with a bundle's name") {
    write_bundle(out, two_images());
    fs::remove_all(out + "/blobs");
    fs::create_directory_symlink(temp.path(), out + "/blobs");
  }
  const auto before = tree_of(out);
  CHECK_THROWS_WITH_AS(open_writer({out}), doctest::Contains("is not empty and is no bundle: it holds '"),
                       diag::UsageError);
  CHECK(tree_of(out) == before);
}

TEST_CASE("what operating systems drop, and what a crashed write left, is no obstacle") {
  const TempDirectory temp;
  const std::string out = temp.path("out");
  fs::create_directory(out);
  write_file(out + "/.DS_Store", "mac");
  write_bundle(out, two_images());
  write_file(out + "/bundle.json.tmp", "half");
  write_bundle(out, two_images());
  CHECK_FALSE(fs::exists(out + "/bundle.json.tmp"));
  CHECK(fs::exists(out + "/.DS_Store"));
  CHECK(fault_of(out) == "");
}

TEST_CASE("a finished bundle whose bundle.json was changed is not written over") {
  const TempDirectory temp;
  write_bundle(temp.path("out"), two_images());
  std::string text = file_text(temp.path("out/bundle.json"));
  text[text.find("2026")] = '3';
  write_file(temp.path("out/bundle.json"), text);
  CHECK_THROWS_AS(open_writer({temp.path("out")}), diag::IntegrityError);
}
