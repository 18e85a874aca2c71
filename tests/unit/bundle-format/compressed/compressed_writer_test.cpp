#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "bundle-format/compressed/frame_cuts.hpp"
#include "common/diag/error.hpp"
#include "common/hash/hasher.hpp"
#include "common/hash/verifying_source.hpp"
#include "common/io/file.hpp"
#include "common/zstd/seek_table.hpp"
#include "tests/unit/bundle-format/writer_fixture.hpp"

using namespace airgap;
using namespace airgap::bundle;
using namespace airgap::bundle::testing;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t k_frame = zstd::k_max_content;

std::string text_layer(std::size_t lines, int seed) {
  std::string text;
  for (std::size_t i = 0; i < lines; ++i) text += std::to_string(seed) + " line " + std::to_string(i) + "\n";
  return text;
}

/// With an empty layer, one of several frames, and one that is compressed already.
Sample three_images() {
  return sample({{"example.com/app:1", {"base", "", noise(5'000'000, 1)}},
                 {"example.com/gzip:1", {"base", "\x1f\x8b" + noise(90'000, 2)}},
                 {"example.com/text:1", {"base", text_layer(300'000, 3)}}});
}

/// Puts the first `count` blobs that are missing, and stops.
void write_some(const std::string& path, const Sample& wanted, std::size_t count) {
  const auto writer = open_writer({path});
  std::vector<Blob> missing = wanted.fetched();
  std::erase_if(missing, [&](const Blob& blob) { return writer->has_blob(blob); });
  writer->begin(wanted.contents);
  for (std::size_t i = 0; i < count; ++i)
    writer->put_blob(missing[i], wanted.opener(missing[i]), transport::no_observer());
}

/// Puts what is missing, in order, until the line breaks in `cut` after so many bytes of it.
void break_off(const std::string& path, const Sample& wanted, const std::string& cut, std::size_t came) {
  const auto writer = open_writer({path});
  std::vector<Blob> missing = wanted.fetched();
  std::erase_if(missing, [&](const Blob& blob) { return writer->has_blob(blob); });
  writer->begin(wanted.contents);
  for (const Blob& blob : missing) {
    if (blob.digest == wanted.blob_of(cut).digest) {
      FaultyBlob broken(cut, came);
      CHECK_THROWS_AS(writer->put_blob(blob, broken.opener(), transport::no_observer()), diag::NetworkError);
      return;
    }
    writer->put_blob(blob, wanted.opener(blob), transport::no_observer());
  }
  FAIL("it was there already");
}

/// Layers of several frames, in the order in which an archive has them.
std::vector<std::string> layers_in_order(std::size_t count) {
  std::vector<std::string> layers;
  for (unsigned seed = 1; layers.size() < count; ++seed) layers.push_back(noise(5'000'000, seed));
  std::ranges::sort(layers, {}, [](const std::string& layer) { return hash::sha256_of(layer); });
  return layers;
}

std::vector<std::string> names_in(const TempDirectory& temp) {
  std::vector<std::string> names;
  for (const auto& [name, bytes] : tree_of(temp.path())) names.push_back(name);
  return names;
}

std::string whole_of(const Sample& wanted) {
  const TempDirectory temp;
  write_bundle(temp.path("out.tar.zst"), wanted, 3);
  return file_text(temp.path("out.tar.zst"));
}

}  // namespace

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

TEST_CASE("what an unfinished or a replaced archive of another plan holds is not fetched again") {
  const Sample wanted = three_images();
  const Sample other = sample({{"example.com/text:1", {"base", text_layer(300'000, 3)}},
                               {"example.com/zoo:1", {"base", noise(70'000, 4)}}},
                              2);
  const std::string expected = whole_of(other);
  for (const bool finished : {false, true}) {
    CAPTURE(finished);
    const TempDirectory temp;
    const std::string path = temp.path("out.tar.zst");
    write_some(path, wanted, wanted.fetched().size());
    if (finished) write_bundle(path, wanted);
    {
      const auto writer = open_writer({.path = path, .overwrite = true});
      std::size_t put = 0;
      std::vector<Blob> missing = other.fetched();
      std::erase_if(missing, [&](const Blob& blob) { return writer->has_blob(blob); });
      writer->begin(other.contents);
      for (const Blob& blob : missing) {
        writer->put_blob(blob, other.opener(blob), transport::no_observer());
        ++put;
      }
      writer->commit();
      CHECK(put == 2);  // the config and the layer of what is new
    }
    CHECK((file_text(path) == expected));
    CHECK(tree_of(temp.path()).size() == 1);
  }
}

TEST_CASE("plans that change again and again, each broken off, lose nothing of what the earlier ones left") {
  const auto layers = layers_in_order(6);
  const std::vector<std::string> first(layers.begin() + 2, layers.end());
  const Sample a = sample({{"example.com/app:1", first}});
  const Sample b = sample({{"example.com/app:1", first}, {"example.com/b:1", {layers[1], ""}}});
  const Sample c = sample(
      {{"example.com/app:1", first}, {"example.com/b:1", {layers[1], ""}}, {"example.com/c:1", {layers[0]}}});
  const TempDirectory temp;
  const std::string path = temp.path("out.tar.zst");
  break_off(path, a, layers[5], 2 * k_frame + 1000);
  break_off(path, b, layers[1], k_frame + 1000);
  break_off(path, c, layers[0], 1000);
  CHECK(names_in(temp) == std::vector<std::string>{"out.tar.zst.partial", "out.tar.zst.partial.replaced-1",
                                                   "out.tar.zst.partial.replaced-2"});
  {
    const auto place = look_at({.path = path});
    for (const std::size_t whole : {2U, 3U, 4U}) CHECK(place->has_blob(c.blob_of(layers[whole])));
    CHECK(place->partial_bytes(c.blob_of(layers[5])) == 2 * k_frame);
    CHECK(place->partial_bytes(c.blob_of(layers[1])) == k_frame);
    CHECK(place->existing()->images.size() == 3);
  }
  const auto writer = open_writer({path});
  writer->begin(c.contents);
  Tally tally;
  for (const Blob& blob : c.fetched()) {
    if (writer->has_blob(blob)) continue;
    FaultyBlob source(c.bytes.at(blob.digest));
    writer->put_blob(blob, source.opener(), tally);
    const std::uint64_t already = blob.digest == c.blob_of(layers[5]).digest   ? 2 * k_frame
                                  : blob.digest == c.blob_of(layers[1]).digest ? k_frame
                                                                               : 0;
    CHECK(source.offsets() == std::vector<std::uint64_t>{already});
  }
  writer->commit();
  CHECK(tally.already == 3 * k_frame);
  CHECK((file_text(path) == whole_of(c)));
  CHECK(names_in(temp) == std::vector<std::string>{"out.tar.zst"});
}

TEST_CASE("what was replaced goes away as soon as nothing more is to come from it") {
  const auto layers = layers_in_order(3);
  const Sample a = sample({{"example.com/app:1", {layers[0], layers[1]}}});
  const Sample b = sample({{"example.com/app:1", layers}});
  const TempDirectory temp;
  const std::string path = temp.path("out.tar.zst");
  break_off(path, a, layers[1], k_frame + 1000);
  break_off(path, b, layers[2], 0);  // by then all is copied
  CHECK(names_in(temp) == std::vector<std::string>{"out.tar.zst.partial", "out.tar.zst.partial.replaced-1"});
  break_off(path, b, layers[2], k_frame + 1000);
  CHECK(names_in(temp) == std::vector<std::string>{"out.tar.zst.partial"});
  break_off(path, sample({{"example.com/none-of-it:1", {"base"}}}), "base", 0);
  CHECK(names_in(temp) == std::vector<std::string>{"out.tar.zst.partial"});
}

TEST_CASE("what is copied out of an archive of another plan lies there twice, and the plan can say so") {
  const auto layers = layers_in_order(3);
  const Sample a = sample({{"example.com/app:1", {layers[0], layers[1]}}});
  const Sample b = sample({{"example.com/app:1", layers}});
  const TempDirectory temp;
  const std::string path = temp.path("out.tar.zst");
  break_off(path, a, layers[1], k_frame + 1000);
  const std::uint64_t held = layers[0].size() + k_frame;
  const auto near = [](std::uint64_t found, std::uint64_t bytes) {
    return found >= bytes && found < bytes + 1000;
  };
  CHECK(look_at({.path = path})->doubled_bytes(a.contents) == 0);
  CHECK(near(look_at({.path = path})->doubled_bytes(b.contents), held));
  CHECK(open_writer({path})->doubled_bytes(b.contents) == look_at({.path = path})->doubled_bytes(b.contents));
  break_off(path, b, layers[2], 0);
  CHECK(look_at({.path = path})->doubled_bytes(b.contents) == 0);
  CHECK(look_at({.path = path})->doubled_bytes(a.contents) > held);  // from two files by then
}

TEST_CASE("a front that was copied and turns out wrong costs that blob alone (R4)") {
  const auto layers = layers_in_order(2);
  const Sample a = sample({{"example.com/app:1", {layers[1]}}});
  const Sample b = sample({{"example.com/app:1", layers}});
  std::string wrong = layers[1];
  wrong[100] = static_cast<char>(wrong[100] ^ 1);
  const TempDirectory temp;
  const std::string path = temp.path("out.tar.zst");
  {
    const auto writer = open_writer({path});
    writer->begin(a.contents);
    for (const Blob& blob : a.fetched()) {
      FaultyBlob source(blob.size == wrong.size() ? wrong : a.bytes.at(blob.digest),
                        blob.size == wrong.size() ? k_frame + 1000 : std::string::npos);
      try {
        writer->put_blob(blob, source.opener(), transport::no_observer());
      } catch (const diag::NetworkError&) {
        CHECK(blob.size == wrong.size());
      }
    }
  }
  const auto writer = open_writer({path});
  writer->begin(b.contents);
  for (const Blob& blob : b.fetched()) {
    if (writer->has_blob(blob)) continue;
    FaultyBlob source(b.bytes.at(blob.digest));
    Tally tally;
    writer->put_blob(blob, source.opener(), tally);
    const bool second = blob.digest == b.blob_of(layers[1]).digest;
    CHECK(source.offsets() ==
          (second ? std::vector<std::uint64_t>{k_frame, 0} : std::vector<std::uint64_t>{0}));
    CHECK(tally.already + tally.moved - tally.lost == blob.size);
  }
  writer->commit();
  CHECK((file_text(path) == whole_of(b)));
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
