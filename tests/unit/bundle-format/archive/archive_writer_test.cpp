#include <doctest/doctest.h>

#include <filesystem>
#include <random>

#include "bundle-format/archive/archive_plan.hpp"
#include "bundle-format/archive/archive_state.hpp"
#include "bundle-format/archive/relocation_journal.hpp"
#include "common/diag/error.hpp"
#include "common/hash/hasher.hpp"
#include "tests/unit/bundle-format/writer_fixture.hpp"

using namespace airgap;
using namespace airgap::bundle;
using namespace airgap::bundle::testing;
namespace fs = std::filesystem;

namespace {

void put(BundleWriter& writer, const Sample& from, const Blob& blob) {
  writer.put_blob(blob, from.opener(blob), transport::no_observer());
}

}  // namespace

TEST_CASE("an archive is whole, and nothing is left beside it") {
  const TempDirectory temp;
  write_bundle(temp.path("out.tar"), two_images(), 4);
  CHECK(fault_of(temp.path("out.tar")) == "");
  CHECK(tree_of(temp.path()).size() == 1);
}

TEST_CASE("what a crash left of a blob is hashed before it is believed") {
  const TempDirectory temp;
  const Sample wanted = two_images();
  const std::string layer = noise(700'000, 1);
  const Blob blob = wanted.blob_of(layer);
  {
    const auto writer = open_writer({temp.path("out.tar")});
    writer->begin(wanted.contents);
    put(*writer, wanted, blob);
  }
  std::string partial = file_text(temp.path("out.tar.partial"));
  partial[partial.find(layer) + 1000] ^= 1;
  write_file(temp.path("out.tar.partial"), partial);
  const auto writer = open_writer({temp.path("out.tar")});
  writer->begin(wanted.contents);
  FaultyBlob source(layer);
  Tally tally;
  writer->put_blob(blob, source.opener(), tally);
  CHECK(tally.lost == layer.size());
  CHECK(source.offsets() == std::vector<std::uint64_t>{0});
  for (const Blob& other : wanted.fetched()) put(*writer, wanted, other);
  writer->commit();
  CHECK(fault_of(temp.path("out.tar")) == "");
}

TEST_CASE("another plan keeps the blobs that both hold, and gives the bytes of a fresh archive") {
  std::mt19937 random(3);
  for (int round = 0; round < 60; ++round) {
    const TempDirectory temp;
    std::vector<ImageSpec> images;
    for (unsigned i = 0; i < 6; ++i)
      images.push_back({"example.com/app" + std::to_string(i) + ":1", {noise(1 + random() % 30'000, i)}});
    const auto some = [&] {
      std::vector<ImageSpec> chosen = images;
      std::erase_if(chosen, [&](const ImageSpec&) { return random() % 3 == 0; });
      return sample(chosen.empty() ? std::vector{images.front()} : chosen);
    };
    const Sample first = some();
    Sample second = some();
    if (round % 2 == 0) second.contents.info.created = "2026-06-01T00:00:00Z";
    {
      const auto writer = open_writer({temp.path("out.tar")});
      writer->begin(first.contents);
      for (const Blob& blob : first.fetched()) {
        if (random() % 4 != 0) put(*writer, first, blob);
      }
    }
    const auto writer = open_writer({temp.path("out.tar")});
    std::uint64_t left = 0;
    for (const Blob& blob : second.fetched()) left += writer->partial_bytes(blob);
    writer->begin(second.contents);
    Tally tally;
    for (const Blob& blob : second.fetched()) writer->put_blob(blob, second.opener(blob), tally);
    writer->commit();
    REQUIRE(tally.already == left);
    REQUIRE(tally.lost == 0);
    write_bundle(temp.path("fresh.tar"), second);
    REQUIRE(file_text(temp.path("out.tar")) == file_text(temp.path("fresh.tar")));
  }
}

TEST_CASE("an archive that a kill left while it was rearranged keeps the blobs that are whole") {
  const TempDirectory temp;
  const Sample wanted = two_images();
  write_bundle(temp.path("out.tar"), wanted);
  std::string archive = file_text(temp.path("out.tar"));
  const ArchivePlan plan(metadata_files(wanted.contents), wanted.contents.info);
  std::vector<BlobMove> moves;
  for (const Blob& blob : wanted.fetched()) {
    const tar::Place& from = plan.place_of(plan.index.at(blob.digest));
    tar::Place to = from;
    to.header += 512;
    to.data += 512;
    moves.push_back({blob, from, to});
    archive.replace(from.header, 512, std::string(512, '\0'));
  }
  archive.replace(0, 512, std::string(512, '\0'));
  archive[moves.back().from.data] ^= 1;  // it was in flight
  fs::remove(temp.path("out.tar"));
  write_file(temp.path("out.tar.partial"), archive);
  write_file(temp.path("out.tar.partial.moving"), journal_text(moves));

  const auto writer = open_writer({temp.path("out.tar")});
  CHECK_FALSE(writer->existing());
  for (const BlobMove& move : moves) CHECK(writer->has_blob(move.blob) == (&move != &moves.back()));
  writer->begin(wanted.contents);
  CHECK_FALSE(fs::exists(temp.path("out.tar.partial.moving")));
  for (const Blob& blob : wanted.fetched()) put(*writer, wanted, blob);
  writer->commit();
  CHECK(fault_of(temp.path("out.tar")) == "");
}

TEST_CASE("a file of somebody else in the place of the unfinished archive is not written over") {
  const TempDirectory temp;
  write_file(temp.path("out.tar.partial"), "half a novel");
  CHECK_THROWS_WITH_AS(open_writer({temp.path("out.tar")}), doctest::Contains("is no unfinished bundle"),
                       diag::UsageError);
  CHECK_THROWS_AS(look_at({temp.path("out.tar")}), diag::UsageError);
  CHECK(file_text(temp.path("out.tar.partial")) == "half a novel");
  const auto writer = open_writer({.path = temp.path("out.tar"), .overwrite = true});
  writer->begin(two_images().contents);
}

TEST_CASE("replacing a damaged archive says so, and not that the source is at fault") {
  const TempDirectory temp;
  const Sample wanted = two_images();
  const Sample more =
      sample({{"example.com/app:1", {"base", noise(700'000, 1)}}, {"example.com/new:1", {"new"}}});
  write_bundle(temp.path("out.tar"), wanted);
  std::string archive = file_text(temp.path("out.tar"));
  archive[archive.find(noise(700'000, 1)) + 1000] ^= 1;
  write_file(temp.path("out.tar"), archive);
  const auto writer = open_writer({.path = temp.path("out.tar"), .overwrite = true});
  CHECK_THROWS_WITH_AS(writer->begin(more.contents), doctest::Contains("out.tar is damaged"),
                       diag::IntegrityError);
}

TEST_CASE("blobs that are synced have a header, and need nothing more") {
  const TempDirectory temp;
  const Sample wanted = two_images();
  const Sample other = sample({{"example.com/app:1", {"base", noise(700'000, 1)}}});
  write_bundle(temp.path("out.tar"), wanted);
  fs::rename(temp.path("out.tar"), temp.path("out.tar.partial"));
  const auto writer = open_writer({temp.path("out.tar")});
  for (const Blob& blob : other.fetched()) CHECK(writer->has_blob(blob));
  CHECK(write_all(*writer, other) == 0);
  CHECK(fault_of(temp.path("out.tar")) == "");
}

TEST_CASE("a damaged head starts from nothing") {
  const TempDirectory temp;
  const Sample wanted = two_images();
  {
    const auto writer = open_writer({temp.path("out.tar")});
    writer->begin(wanted.contents);
    for (const Blob& blob : wanted.fetched()) put(*writer, wanted, blob);
  }
  std::string partial = file_text(temp.path("out.tar.partial"));
  SUBCASE("no first block") {
    partial.replace(0, 512, 512, '\0');
  }
  SUBCASE("a flipped bit") {
    partial[partial.find("example.com")] ^= 1;
  }
  SUBCASE("cut") {
    partial.resize(700);
  }
  write_file(temp.path("out.tar.partial"), partial);
  const auto writer = open_writer({temp.path("out.tar")});
  CHECK(writer->existing() == std::nullopt);
  CHECK(write_all(*writer, wanted) == 5);
  CHECK(fault_of(temp.path("out.tar")) == "");
}

TEST_CASE("a finished archive is never changed: the same contents are there already, others are refused") {
  const TempDirectory temp;
  write_bundle(temp.path("out.tar"), two_images());
  const auto before = tree_of(temp.path());
  Sample again = two_images();
  again.contents.info.sequence = 5;
  again.contents.info.created = "2027-01-01T00:00:00Z";
  {
    const auto writer = open_writer({temp.path("out.tar")});
    CHECK(writer->finished());
    CHECK(writer->existing() == two_images().contents.info);
    CHECK(write_all(*writer, again) == 0);
  }
  CHECK(tree_of(temp.path()) == before);
  {
    const auto writer = open_writer({temp.path("out.tar")});
    CHECK_THROWS_WITH_AS(writer->begin(sample({{"example.com/new:3", {"fresh"}}}).contents),
                         doctest::Contains("is finished and holds other images"), diag::UsageError);
  }
  CHECK(tree_of(temp.path()) == before);
}

TEST_CASE("--overwrite replaces a finished archive in the end, and takes from it what it holds") {
  const TempDirectory temp;
  write_bundle(temp.path("out.tar"), two_images());
  const std::string before = file_text(temp.path("out.tar"));
  const Sample next = sample(
      {{"example.com/app:1", {"base", noise(700'000, 1)}}, {"example.com/new:3", {"base", "fresh"}}}, 2);
  {
    const auto writer = open_writer({temp.path("out.tar"), true});
    writer->begin(next.contents);
  }
  CHECK(file_text(temp.path("out.tar")) == before);
  const auto writer = open_writer({temp.path("out.tar"), true});
  CHECK(writer->existing()->sequence == 1);  // that one stays until the other is whole
  CHECK(writer->begun()->sequence == 2);
  CHECK(write_all(*writer, next) == 2);
  CHECK(fault_of(temp.path("out.tar")) == "");
  write_bundle(temp.path("fresh.tar"), next);
  CHECK(file_text(temp.path("out.tar")) == file_text(temp.path("fresh.tar")));

  const auto direct = open_writer({temp.path("fresh.tar"), true});
  CHECK(write_all(*direct, two_images()) == 2);
  CHECK(fault_of(temp.path("fresh.tar")) == "");
}

TEST_CASE("a file that is no whole bundle is not written over") {
  const TempDirectory temp;
  const Sample wanted = two_images();
  SUBCASE("something else") {
    write_file(temp.path("out.tar"), "not ours");
  }
  SUBCASE("a cut bundle") {
    write_bundle(temp.path("out.tar"), wanted);
    fs::resize_file(temp.path("out.tar"), fs::file_size(temp.path("out.tar")) - 512);
  }
  const auto before = tree_of(temp.path());
  CHECK_THROWS_AS(open_writer({temp.path("out.tar")}), diag::UsageError);
  CHECK(tree_of(temp.path()) == before);
}

TEST_CASE("a progress marker speaks of one blob alone") {
  const hash::Digest digest = hash::sha256_of("a");
  CHECK(parse_progress_marker(progress_marker(digest, 12'345), digest) == 12'345);
  CHECK(progress_marker(digest, 1).size() == 512);
  CHECK(parse_progress_marker(progress_marker(digest, 12'345), hash::sha256_of("b")) == 0);
  for (const std::string& foreign : {std::string(), std::string(512, '\0'), std::string("airgap-partial 1 "),
                                     "airgap-partial 1 " + digest.str() + " 99999999999999999999999\n"}) {
    CHECK(parse_progress_marker(foreign, digest) == 0);
  }
}
