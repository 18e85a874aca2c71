#include "bundle-format/volumes/volume_writer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "bundle-format/bundle_reader.hpp"
#include "bundle-format/volumes/missing_volumes.hpp"
#include "bundle-format/volumes/volume_plan.hpp"
#include "bundle-format/volumes/volume_set.hpp"
#include "common/diag/error.hpp"
#include "tests/unit/bundle-format/writer_fixture.hpp"

using namespace airgap;
using namespace airgap::bundle;
using namespace airgap::bundle::testing;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t k_size = 200'000;

std::unique_ptr<BundleWriter> writer_at(const TempDirectory& temp, std::uint64_t size = k_size,
                                        bool overwrite = false) {
  return open_writer({.path = temp.path("out.tar"), .overwrite = overwrite, .volume_size = size});
}

std::vector<std::string> names_in(const std::string& path) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(path)) names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}

std::vector<std::string> volume_names(std::size_t count) {
  std::vector<std::string> names;
  for (std::size_t i = 1; i <= count; ++i) {
    const std::string number = std::to_string(i);
    names.push_back("out." + std::string(3 - number.size(), '0') + number + ".tar");
  }
  return names;
}

void put(BundleWriter& writer, const Sample& from, const Blob& blob) {
  writer.put_blob(blob, from.opener(blob), transport::no_observer());
}

/// begin(), every blob, commit(). The bytes that were asked for.
std::uint64_t bytes_to_finish(BundleWriter& writer, const Sample& wanted) {
  std::uint64_t asked = 0;
  writer.begin(wanted.contents);
  for (const Blob& blob : wanted.fetched()) {
    FaultyBlob source(wanted.bytes.at(blob.digest));
    writer.put_blob(blob, source.opener(), transport::no_observer());
    for (const std::uint64_t offset : source.offsets()) asked += blob.size - offset;
  }
  writer.commit();
  return asked;
}

/// A run that ends without a word while the last blob is on its way, of which `of_last` bytes come.
void end_early(const TempDirectory& temp, const Sample& wanted, const Blob& last, std::size_t of_last,
               std::uint64_t size = k_size) {
  const auto writer = writer_at(temp, size);
  writer->begin(wanted.contents);
  for (const Blob& blob : wanted.fetched()) {
    if (blob.digest != last.digest) put(*writer, wanted, blob);
  }
  FaultyBlob source(wanted.bytes.at(last.digest), of_last);
  CHECK_THROWS_AS(writer->put_blob(last, source.opener(), transport::no_observer()), diag::NetworkError);
}

std::size_t volumes_needed(const Contents& contents, std::uint64_t size) {
  return plan_volumes(metadata_files(contents), contents.info, size).volumes.size();
}

/// How many volumes two_images() makes.
std::size_t count_of(const Sample& wanted) {
  return volumes_needed(wanted.contents, k_size);
}

}  // namespace

TEST_CASE("volumes are whole, each of them and together, and nothing is left beside them") {
  for (const hash::Algorithm algorithm : {hash::Algorithm::sha256, hash::Algorithm::sha512}) {
    const TempDirectory temp;
    const Sample wanted = sample({{"example.com/app:1", {"base", noise(700'000, 1)}, algorithm},
                                  {"example.com/web:2", {"base", noise(90'000, 2)}, algorithm}});
    CHECK(write_all(*writer_at(temp), wanted, 4) > 0);
    const std::size_t count = count_of(wanted);
    CHECK(count > 3);
    CHECK(names_in(temp.path()) == volume_names(count));
    CHECK(fault_of(temp.path()) == "");
    for (const std::string& name : volume_names(count)) {
      CHECK(fs::file_size(temp.path(name)) <= k_size);
      CHECK(fault_of(temp.path(name)) == "");
    }
    const auto reader = open_bundle(temp.path("out.002.tar"));
    CHECK(reader->info() == wanted.contents.info);
    for (const Blob& blob : wanted.fetched()) {
      for (const std::uint64_t offset : {std::uint64_t{0}, blob.size / 2, blob.size}) {
        const auto bytes =
            reader->open_blob({.media_type = "", .digest = blob.digest, .size = blob.size}, offset);
        CHECK(io::read_all(*bytes, 1'000'000, "blob") == wanted.bytes.at(blob.digest).substr(offset));
      }
    }
  }
}

TEST_CASE("a run that ended while it named the volumes is finished by the next, without fetching") {
  const TempDirectory temp;
  const Sample wanted = two_images();
  write_all(*writer_at(temp), wanted);
  const auto before = tree_of(temp.path());
  for (const std::string& name : volume_names(count_of(wanted))) {
    if (name != "out.001.tar") fs::rename(temp.path(name), temp.path(name + ".partial"));
  }
  auto writer = writer_at(temp);
  CHECK_FALSE(writer->finished());
  CHECK(write_all(*writer, wanted) == 0);
  writer.reset();
  CHECK(tree_of(temp.path()) == before);
}

TEST_CASE("finished volumes are left alone, and other contents are refused unless told") {
  const TempDirectory temp;
  const Sample wanted = two_images();
  write_all(*writer_at(temp), wanted);
  const auto before = tree_of(temp.path());
  {
    const auto writer = writer_at(temp);
    CHECK(writer->finished());
    CHECK(write_all(*writer, wanted) == 0);
  }
  const Sample other = sample({{"example.com/web:2", {"base", noise(90'000, 2)}}}, 2);
  CHECK_THROWS_WITH_AS(writer_at(temp)->begin(other.contents), doctest::Contains("other images"),
                       diag::UsageError);
  CHECK(tree_of(temp.path()) == before);
  CHECK(write_all(*writer_at(temp, k_size, true), other) == 0);  // all of it is there
  CHECK(names_in(temp.path()) == volume_names(volumes_needed(other.contents, k_size)));
  CHECK(fault_of(temp.path()) == "");
}

TEST_CASE("a finished set stays what it is while another one is begun over it, unless it is to be replaced") {
  const TempDirectory temp;
  const Sample wanted = two_images();
  const Sample other = sample({{"example.com/new:1", {noise(300'000, 3)}}}, 2);
  write_all(*writer_at(temp), wanted);
  {
    const auto writer = writer_at(temp, k_size, true);
    writer->begin(other.contents);
    put(*writer, other, other.blob_of(noise(300'000, 3)));
  }
  CHECK(fs::exists(temp.path("out.001.tar.partial")));
  {
    const auto writer = writer_at(temp);
    CHECK(writer->finished());
    CHECK(write_all(*writer, wanted) == 0);
  }
  CHECK_THROWS_WITH_AS(writer_at(temp)->begin(other.contents), doctest::Contains("other images"),
                       diag::UsageError);
  fs::remove(temp.path("out.003.tar"));  // no longer whole, and nobody's to remove
  CHECK_THROWS_WITH_AS(writer_at(temp), doctest::Contains("not of the bundle that was begun"),
                       diag::UsageError);
  CHECK(fs::exists(temp.path("out.002.tar")));
  write_all(*writer_at(temp, k_size, true), other);
  CHECK(names_in(temp.path()) == volume_names(volumes_needed(other.contents, k_size)));
  CHECK(fault_of(temp.path()) == "");
}

TEST_CASE("finished volumes that are larger than asked for are refused, or cut anew from what they hold") {
  const TempDirectory temp;
  const Sample wanted = two_images();
  write_all(*writer_at(temp), wanted);
  CHECK(write_all(*writer_at(temp, 300'000), wanted) == 0);  // they fit
  CHECK_THROWS_WITH_AS(writer_at(temp, 120'000), doctest::Contains("120000 bytes are asked for"),
                       diag::UsageError);
  CHECK(write_all(*writer_at(temp, 120'000, true), wanted) == 0);
  CHECK(names_in(temp.path()) == volume_names(volumes_needed(wanted.contents, 120'000)));
  CHECK(fault_of(temp.path()) == "");
}

TEST_CASE("what is damaged in volumes of another plan is fetched anew by the next run") {
  const TempDirectory temp;
  const Sample wanted = two_images();
  const std::string layer = noise(700'000, 1);
  {
    const auto writer = writer_at(temp);
    writer->begin(wanted.contents);
    put(*writer, wanted, wanted.blob_of(layer));
    put(*writer, wanted, wanted.blob_of(noise(90'000, 2)));
    CHECK_THROWS_AS(writer->commit(), diag::InternalError);  // which publishes what is there
  }
  std::string second = file_text(temp.path("out.002.tar.partial"));
  second[100'000] ^= 1;
  write_file(temp.path("out.002.tar.partial"), second);
  CHECK_THROWS_WITH_AS(writer_at(temp, 300'000)->begin(wanted.contents),
                       doctest::Contains("out.001.tar.replaced-1 to out.004.tar.replaced-1 is damaged"),
                       diag::IntegrityError);
  const auto writer = writer_at(temp, 300'000);
  CHECK_FALSE(writer->has_blob(wanted.blob_of(layer)));
  write_all(*writer, wanted);
  CHECK(fault_of(temp.path()) == "");
}

TEST_CASE("a file of somebody else under the name of an unfinished volume is not written over") {
  const TempDirectory temp;
  write_file(temp.path("out.002.tar.partial"), "a letter to a friend");
  CHECK_THROWS_WITH_AS(writer_at(temp), doctest::Contains("out.002.tar.partial is there already"),
                       diag::UsageError);
  CHECK(file_text(temp.path("out.002.tar.partial")) == "a letter to a friend");
  write_all(*writer_at(temp, k_size, true), two_images());
  CHECK(fault_of(temp.path()) == "");
}

TEST_CASE("unfinished volumes of another plan, or of another size, give what they hold") {
  const Sample wanted = two_images();
  const Sample more = sample(
      {{"example.com/app:1", {"base", noise(700'000, 1)}}, {"example.com/new:1", {noise(300'000, 3)}}});
  struct Case {
    const Sample& next;
    std::uint64_t size;
  };
  for (const Case& one : {Case{more, k_size}, Case{wanted, 300'000}, Case{more, 120'000}}) {
    const TempDirectory temp;
    {
      const auto writer = writer_at(temp);
      writer->begin(wanted.contents);
      for (const Blob& blob : wanted.fetched()) {
        if (blob.digest != wanted.blob_of("base").digest) put(*writer, wanted, blob);
      }
      CHECK_THROWS_AS(writer->commit(), diag::InternalError);  // which publishes what is there
    }
    auto writer = writer_at(temp, one.size);
    CHECK(writer->has_blob(wanted.blob_of(noise(700'000, 1))));
    const std::size_t fetched = write_all(*writer, one.next);
    CHECK(fetched == (&one.next == &wanted ? 1 : 3));
    writer.reset();
    CHECK(fault_of(temp.path()) == "");
    CHECK(names_in(temp.path()) == volume_names(volumes_needed(one.next.contents, one.size)));
  }
}

TEST_CASE(
    "what nobody has vouched for yet is taken over too, and so is the front of a blob, as the plan says") {
  const Sample wanted = two_images();
  const Sample more = sample(
      {{"example.com/app:1", {"base", noise(700'000, 1)}}, {"example.com/new:1", {noise(300'000, 3)}}}, 2);
  const Blob& large = wanted.blob_of(noise(700'000, 1));
  struct Case {
    const Sample& next;
    std::uint64_t size;
  };
  for (const Case& one :
       {Case{wanted, k_size}, Case{more, k_size}, Case{wanted, 300'000}, Case{more, 120'000}}) {
    const TempDirectory temp;
    end_early(temp, wanted, large, 400'000);
    auto writer = writer_at(temp, one.size);
    const bool same = &one.next == &wanted && one.size == k_size;
    CHECK((writer->doubled_bytes(one.next.contents) == 0) == same);
    std::uint64_t missing = 0;
    for (const Blob& blob : one.next.fetched()) {
      CHECK_FALSE(writer->has_blob(blob));
      missing += blob.size - writer->partial_bytes(blob);
    }
    CHECK(writer->partial_bytes(large) > 300'000);
    CHECK(bytes_to_finish(*writer, one.next) == missing);
    writer.reset();
    CHECK(fault_of(temp.path()) == "");
    CHECK(names_in(temp.path()) == volume_names(volumes_needed(one.next.contents, one.size)));
  }
}

TEST_CASE("a run that ends while it takes over leaves it to the next, whatever that one's plan") {
  const Sample wanted = two_images();
  const Blob& large = wanted.blob_of(noise(700'000, 1));
  const TempDirectory temp;
  end_early(temp, wanted, large, 400'000);
  std::uint64_t missing = 0;
  for (const std::uint64_t size : {std::uint64_t{300'000}, std::uint64_t{120'000}}) {
    std::stop_source stop;
    const auto writer =
        open_writer({.path = temp.path("out.tar"), .stop = stop.get_token(), .volume_size = size});
    missing = large.size - writer->partial_bytes(large);
    CHECK(missing < 400'000);
    stop.request_stop();
    CHECK_THROWS_AS(writer->begin(wanted.contents), diag::Interrupted);
  }
  CHECK(fs::exists(temp.path("out.001.tar.replaced-2")));
  CHECK(bytes_to_finish(*writer_at(temp), wanted) == missing);
  CHECK(fault_of(temp.path()) == "");
  CHECK(names_in(temp.path()) == volume_names(count_of(wanted)));
}

TEST_CASE("what nobody has vouched for and is damaged is fetched anew by the same run") {
  const Sample wanted = two_images();
  const Blob& small = wanted.blob_of(noise(90'000, 2));
  for (const bool whole : {true, false}) {
    const TempDirectory temp;
    whole ? end_early(temp, wanted, small, 50'000)
          : end_early(temp, wanted, wanted.blob_of(noise(700'000, 1)), 600'000);
    for (const std::string& name : names_in(temp.path())) {
      std::string bytes = file_text(temp.path(name));
      for (std::size_t i = 20'000; i < bytes.size(); i += 3000) bytes[i] ^= 1;  // the heads end before
      write_file(temp.path(name), bytes);
    }
    bytes_to_finish(*writer_at(temp, 300'000), wanted);
    CHECK(fault_of(temp.path()) == "");
  }
}

TEST_CASE("volumes are taken in any order and from anywhere, and what is wrong with a set is named") {
  const TempDirectory temp;
  const TempDirectory elsewhere;
  const Sample wanted = two_images();
  write_all(*writer_at(temp), wanted);
  const std::size_t count = count_of(wanted);
  fs::rename(temp.path("out.002.tar"), elsewhere.path("b.tar"));
  fs::rename(temp.path("out.001.tar"), elsewhere.path("z.tar"));
  CHECK(open_bundle({elsewhere.path(), temp.path()})->info() == wanted.contents.info);
  CHECK(open_bundle({temp.path("out.003.tar"), elsewhere.path("z.tar"), temp.path("out.004.tar"),
                     elsewhere.path("b.tar"), temp.path("out.005.tar")})
            ->info() == wanted.contents.info);
  REQUIRE(count == 5);

  SUBCASE("a missing one, with the images") {
    try {
      open_bundle({elsewhere.path("z.tar"), temp.path()});
      FAIL("a volume is missing");
    } catch (const MissingVolumes& missing) {
      CHECK_MESSAGE(missing.message().find("volume 2 of 5 is missing") != std::string::npos,
                    missing.message());
      CHECK_MESSAGE(missing.message().find("example.com/app:1") != std::string::npos, missing.message());
      CHECK_MESSAGE(missing.message().find("example.com/web:2") == std::string::npos, missing.message());
    }
    CHECK(read_info(temp.path()) == wanted.contents.info);
  }
  SUBCASE("one that is there twice") {
    fs::copy(elsewhere.path("b.tar"), elsewhere.path("copy.tar"));
    CHECK(open_bundle({elsewhere.path(), temp.path()})->info() == wanted.contents.info);
    std::string other = file_text(elsewhere.path("copy.tar"));
    other.replace(other.find("\"sequence\":1,\"number\":2"), 12, "\"sequence\":2");
    write_file(elsewhere.path("copy.tar"), other.substr(0, other.size() - 2000));
    CHECK_THROWS_WITH_AS(open_bundle({elsewhere.path(), temp.path()}), doctest::Contains("is there twice"),
                         diag::UnsafeError);
  }
  SUBCASE("one of another bundle") {
    const TempDirectory other;
    write_all(*open_writer({.path = other.path("x.tar"), .volume_size = k_size}), two_images(2));
    CHECK_THROWS_WITH_AS(open_bundle({elsewhere.path(), temp.path(), other.path("x.002.tar")}),
                         doctest::Contains("different bundles"), diag::IntegrityError);
    fs::rename(other.path("x.002.tar"), elsewhere.path("b.tar"));
    CHECK_THROWS_AS(open_bundle({elsewhere.path(), temp.path()}), diag::IntegrityError);
  }
  SUBCASE("one that is no volume") {
    write_file(elsewhere.path("c.tar"), "no tar at all");
    CHECK_THROWS_AS(open_bundle({elsewhere.path("z.tar"), elsewhere.path("c.tar")}), diag::UsageError);
    CHECK(open_bundle({elsewhere.path(), temp.path()})->info() == wanted.contents.info);
  }
}

TEST_CASE("every flipped bit of every volume is found, alone and in the set") {
  const TempDirectory temp;
  const Sample wanted = sample({{"example.com/app:1", {"base", noise(9000, 1)}}});
  write_all(*open_writer({.path = temp.path("out.tar"), .volume_size = 16'384}), wanted);
  const auto names = names_in(temp.path());
  REQUIRE(names.size() > 1);
  std::size_t unfound = 0;
  for (const std::string& name : names) {
    const std::string good = file_text(temp.path(name));
    for (std::size_t i = 0; i < good.size(); i += 37) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ (1 << (i % 8)));
      write_file(temp.path(name), bad);
      for (const std::string& path : {temp.path(), temp.path(name)}) {
        try {
          if (fault_of(path).empty()) ++unfound;
        } catch (const diag::Error&) {  // it does not even open
        }
      }
    }
    for (const std::size_t length : {good.size() - 1, good.size() - 600, good.size() / 2, std::size_t{700}}) {
      write_file(temp.path(name), good.substr(0, length));
      CHECK_THROWS_AS(open_bundle(temp.path()), diag::Error);
    }
    write_file(temp.path(name), good);
  }
  CHECK(unfound == 0);
  CHECK(fault_of(temp.path()) == "");
}
