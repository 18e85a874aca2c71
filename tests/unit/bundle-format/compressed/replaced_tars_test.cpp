#include <doctest/doctest.h>

#include <algorithm>

#include "common/diag/error.hpp"
#include "tests/unit/bundle-format/compressed/compressed_fixture.hpp"

using namespace airgap;
using namespace airgap::bundle;
using namespace airgap::bundle::testing;

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

TEST_CASE(
    "a finished archive stays as it is until the one that replaces it is whole, and both give what they "
    "hold") {
  const auto layers = layers_in_order(4);
  const Sample a = sample({{"example.com/app:1", {layers[1], layers[3]}}});
  const Sample b = sample({{"example.com/app:1", {layers[1]}}, {"example.com/b:1", {layers[2]}}}, 2);
  const Sample c =
      sample({{"example.com/app:1", {layers[3]}}, {"example.com/b:1", {layers[0], layers[2]}}}, 2);
  const TempDirectory temp;
  const std::string path = temp.path("out.tar.zst");
  write_bundle(path, a);
  const std::string finished = file_text(path);
  break_off(path, b, layers[2], k_frame + 1000, true);
  break_off(path, b, layers[2], 1000, true);
  {
    const auto place = look_at({.path = path, .overwrite = true});
    CHECK(place->finished());
    CHECK(place->existing() == a.contents.info);
    REQUIRE(place->begun() != nullptr);
    CHECK(*place->begun() == b.contents.info);
    CHECK(place->occupied_bytes(b.contents, 1'000'000'000) > layers[1].size());
    CHECK(place->occupied_bytes(c.contents, 1'000'000'000) == 0);
    CHECK(look_at({.path = path})->begun() == nullptr);
  }
  break_off(path, c, layers[0], 1000, true);
  CHECK((file_text(path) == finished));
  CHECK(fault_of(path) == "");

  const auto writer = open_writer({.path = path, .overwrite = true});
  writer->begin(c.contents);
  Tally tally;
  for (const Blob& blob : c.fetched()) {
    if (!writer->has_blob(blob)) writer->put_blob(blob, c.opener(blob), tally);
  }
  CHECK((file_text(path) == finished));
  writer->commit();
  CHECK(tally.already == k_frame);  // of layers[2], which the second of them began
  CHECK((file_text(path) == whole_of(c)));
  CHECK(names_in(temp) == std::vector<std::string>{"out.tar.zst"});
}
