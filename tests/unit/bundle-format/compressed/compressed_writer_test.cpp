#include <doctest/doctest.h>

#include <filesystem>

#include "bundle-format/compressed/frame_cuts.hpp"
#include "common/diag/error.hpp"
#include "common/hash/hasher.hpp"
#include "common/hash/verifying_source.hpp"
#include "common/io/file.hpp"
#include "common/zstd/seek_table.hpp"
#include "tests/unit/bundle-format/compressed/compressed_fixture.hpp"

using namespace airgap;
using namespace airgap::bundle;
using namespace airgap::bundle::testing;
namespace fs = std::filesystem;

TEST_CASE("frames are cut along the files, and not longer than the limit") {
  const TempDirectory temp;
  const Sample wanted = three_images();
  write_bundle(temp.path("out.tar.zst"), wanted);
  const ArchivePlan plan(metadata_files(wanted.contents), wanted.contents.info);
  const auto frames = zstd::read_seek_table(io::File::open_read(temp.path("out.tar.zst")));
  const zstd::FrameTable table(frames);
  CHECK(table.content_size() == plan.layout.end);
  CHECK(compressed::matching_frames(plan, table) == table.count());
  CHECK(compressed::count_frames(plan) == table.count());
  for (std::size_t i = 0; i < plan.blobs.size(); ++i) {
    if (plan.blobs[i].size == 0) continue;
    const std::uint64_t begin = plan.place_of(i).data;
    CHECK(table[table.index_at(begin)].content_at == begin);
  }
}

TEST_CASE("what is compressed already is stored as it is, and the most that a file takes is known before") {
  const TempDirectory temp;
  const Sample wanted = sample(
      {{"example.com/gzip:1", {"\x1f\x8b" + noise(5'000'000, 1), "\x1f\x8b" + std::string(90'000, 'a')}}});
  write_bundle(temp.path("out.tar.zst"), wanted);
  const ArchivePlan plan(metadata_files(wanted.contents), wanted.contents.info);
  const std::uint64_t size = fs::file_size(temp.path("out.tar.zst"));
  CHECK(size <= compressed::bytes_at_most(plan));
  CHECK(size > 5'090'000);
}

TEST_CASE("a compressed archive is whole with any number of jobs, and nothing is left beside it") {
  const Sample wanted = three_images();
  const std::string expected = whole_of(wanted);
  for (const std::size_t jobs : {1U, 8U}) {
    const TempDirectory temp;
    write_bundle(temp.path("out.tar.zst"), wanted, jobs);
    CHECK(fault_of(temp.path("out.tar.zst")) == "");
    CHECK((file_text(temp.path("out.tar.zst")) == expected));
    CHECK(tree_of(temp.path()).size() == 1);
  }
}

TEST_CASE("an unfinished compressed archive goes on after any blob, and ends with the same bytes") {
  const Sample wanted = three_images();
  const std::string expected = whole_of(wanted);
  const std::size_t blobs = wanted.fetched().size();
  for (std::size_t count = 0; count <= blobs; ++count) {
    CAPTURE(count);
    const TempDirectory temp;
    write_some(temp.path("out.tar.zst"), wanted, count);
    CHECK(write_bundle(temp.path("out.tar.zst"), wanted) == blobs - count);
    CHECK((file_text(temp.path("out.tar.zst")) == expected));
  }
}

TEST_CASE("a blob that was cut goes on after its last whole frame, and ends with the same bytes") {
  const std::string layer = text_layer(900'000, 3);
  const Sample wanted = sample({{"example.com/text:1", {layer}}});
  const std::string expected = whole_of(wanted);
  const Blob& blob = wanted.blob_of(layer);
  struct Row {
    std::size_t came;      ///< bytes of the layer, before the line broke
    std::uint64_t kept;    ///< of them
    bool damaged = false;  ///< then its first frame was changed
  };
  for (const Row& row : {Row{0, 0},
                         {k_frame - 1, 0},
                         {2 * k_frame + 1'000'000, 2 * k_frame},
                         {5 * k_frame + 300'000, 5 * k_frame},
                         {5 * k_frame + 300'000, 0, true}}) {
    CAPTURE(row.came);
    const TempDirectory temp;
    const std::string path = temp.path("out.tar.zst");
    const auto put = [&](FaultyBlob& source, std::uint64_t there, Tally& tally) {
      const auto writer = open_writer({path});
      CHECK(writer->partial_bytes(blob) == there);
      writer->begin(wanted.contents);
      for (const Blob& other : wanted.fetched()) {
        if (other.digest != blob.digest)
          writer->put_blob(other, wanted.opener(other), transport::no_observer());
      }
      writer->put_blob(blob, source.opener(), tally);
      writer->commit();
    };
    FaultyBlob broken(layer, row.came);
    Tally tally;
    CHECK_THROWS_AS(put(broken, 0, tally), diag::NetworkError);
    if (row.damaged) {
      std::string partial = file_text(path + ".partial");
      partial[partial.size() / 10] = static_cast<char>(partial[partial.size() / 10] ^ 1);
      write_file(path + ".partial", partial);
    }
    FaultyBlob good(layer);
    put(good, row.kept, tally);
    CHECK(good.offsets() == std::vector<std::uint64_t>{row.kept});
    CHECK(tally.already == row.kept);
    CHECK(tally.moved == row.came + layer.size() - row.kept);
    CHECK((file_text(path) == expected));
  }
}

TEST_CASE(
    "bytes that turn out wrong in the end are taken back, and the blob is tried once more from zero (R4)") {
  const std::string layer = text_layer(400'000, 3);
  const Sample wanted = sample({{"example.com/text:1", {layer, "another"}}});
  const std::string expected = whole_of(wanted);
  const Blob& blob = wanted.blob_of(layer);
  std::string wrong = layer;
  wrong[100] = '!';
  for (const std::size_t wrong_openings : {1U, 2U}) {
    CAPTURE(wrong_openings);
    const TempDirectory temp;
    const std::string path = temp.path("out.tar.zst");
    std::size_t openings = 0;
    const auto open = [&](std::uint64_t offset) {
      return std::make_unique<io::MemorySource>(
          std::string_view(openings++ < wrong_openings ? wrong : layer).substr(offset));
    };
    const auto put = [&] {
      const auto writer = open_writer({path});
      writer->begin(wanted.contents);
      for (const Blob& each : wanted.fetched()) {
        if (each.digest == blob.digest) {
          writer->put_blob(each, open, transport::no_observer());
        } else {
          writer->put_blob(each, wanted.opener(each), transport::no_observer());
        }
      }
      writer->commit();
    };
    if (wrong_openings == 2) {
      CHECK_THROWS_WITH_AS(put(), doctest::Contains("wrong bytes"), hash::DigestMismatch);
      CHECK(open_writer({path})->partial_bytes(blob) == 0);
    }
    put();
    CHECK((file_text(path) == expected));
  }
}

TEST_CASE("of a partial file that was cut or changed, what is before the damage is kept") {
  const Sample wanted = three_images();
  const std::string expected = whole_of(wanted);
  const std::size_t blobs = wanted.fetched().size();
  const TempDirectory temp;
  const std::string path = temp.path("out.tar.zst");
  std::size_t last = blobs;
  for (const std::size_t length : {expected.size() - 10, expected.size() * 3 / 4, expected.size() / 2,
                                   std::size_t{700}, std::size_t{0}}) {
    CAPTURE(length);
    write_file(path + ".partial", expected.substr(0, length));
    const std::size_t fetched = write_bundle(path, wanted);
    CHECK((file_text(path) == expected));
    CHECK(blobs - fetched <= last);
    last = blobs - fetched;
    fs::remove(path);
    std::string changed = expected.substr(0, length);
    if (length > 1000) changed[length / 2] = static_cast<char>(changed[length / 2] ^ 1);
    write_file(path + ".partial", changed);
    write_bundle(path, wanted);
    CHECK((file_text(path) == expected));
    fs::remove(path);
  }
}

TEST_CASE("a finished compressed archive of other contents stays, unless it is to be overwritten") {
  const TempDirectory temp;
  const std::string path = temp.path("out.tar.zst");
  write_bundle(path, three_images());
  const std::string before = file_text(path);
  const auto writer = open_writer({path});
  CHECK(writer->finished());
  CHECK_THROWS_WITH_AS(writer->begin(sample({{"example.com/zoo:1", {"base"}}}).contents),
                       doctest::Contains("holds other images"), diag::UsageError);
  CHECK((file_text(path) == before));
}

TEST_CASE("what is no compressed archive is not written over") {
  const TempDirectory temp;
  write_file(temp.path("out.tar.zst"), "something else");
  CHECK_THROWS_WITH_AS(open_writer({temp.path("out.tar.zst")}), doctest::Contains("not a whole bundle"),
                       diag::UsageError);
}
