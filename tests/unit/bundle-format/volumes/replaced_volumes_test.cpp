/// A finished set that another one takes the place of.
#include <doctest/doctest.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

#include "bundle-format/volumes/volume_plan.hpp"
#include "common/diag/error.hpp"
#include "common/hash/hasher.hpp"
#include "tests/unit/bundle-format/writer_fixture.hpp"

using namespace airgap;
using namespace airgap::bundle;
using namespace airgap::bundle::testing;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t k_size = 200'000;
const std::string k_large = noise(700'000, 1);
const std::string k_new = noise(300'000, 3);

Sample with_a_new_one() {
  return sample({{"example.com/app:1", {"base", k_large}}, {"example.com/new:1", {k_new}}}, 2);
}

std::unique_ptr<BundleWriter> writer_at(const TempDirectory& temp, std::uint64_t size, bool overwrite = true,
                                        std::stop_token stop = {}) {
  return open_writer(
      {.path = temp.path("out.tar"), .overwrite = overwrite, .stop = std::move(stop), .volume_size = size});
}

std::string volume(std::size_t number) {
  const std::string digits = std::to_string(number);
  return "out." + std::string(3 - digits.size(), '0') + digits + ".tar";
}

std::vector<VolumeLayout> layouts_of(const Sample& wanted, std::uint64_t size) {
  return plan_volumes(metadata_files(wanted.contents), wanted.contents.info, size).volumes;
}

/// The files of a run in one go.
std::map<std::string, std::string> whole(const Sample& wanted, std::uint64_t size) {
  const TempDirectory temp;
  write_all(*writer_at(temp, size), wanted);
  return tree_of(temp.path());
}

bool holds(const TempDirectory& temp, const std::map<std::string, std::string>& files) {
  const auto there = tree_of(temp.path());
  return std::ranges::includes(there, files);
}

/// begin() with files that take at most so many bytes: it ends in the middle of taking over.
void begin_on_a_full_disk(BundleWriter& writer, const Sample& wanted, rlim_t bytes) {
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit old{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &old) == 0);
  const rlimit low{bytes, old.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &low) == 0);
  CHECK_THROWS_AS(writer.begin(wanted.contents), diag::StorageError);
  ::setrlimit(RLIMIT_FSIZE, &old);
}

struct Case {
  const char* name;
  Sample next;
  std::uint64_t size;
};

std::vector<Case> cases() {
  return {{"smaller", two_images(), 120'000},
          {"as many", two_images(), k_size - 512},
          {"another list", with_a_new_one(), k_size}};
}

}  // namespace

TEST_CASE("a run that is to replace a finished set leaves it as it is, and the next one takes from both") {
  for (const Case& one : cases()) {
    for (const rlim_t room : {rlim_t{60'000}, rlim_t{100'000}}) {
      CAPTURE(std::string(one.name));
      CAPTURE(room);
      const TempDirectory temp;
      const Sample before = two_images();
      write_all(*writer_at(temp, k_size), before);
      const auto files = tree_of(temp.path());
      begin_on_a_full_disk(*writer_at(temp, one.size), one.next, room);
      CHECK(holds(temp, files));
      CHECK(fs::exists(temp.path("out.001.tar.partial")));

      auto writer = writer_at(temp, one.size);
      CHECK(writer->finished());
      CHECK(writer->existing() == before.contents.info);
      REQUIRE(writer->begun() != nullptr);
      CHECK(*writer->begun() == one.next.contents.info);
      CHECK(writer->occupied_bytes(one.next.contents, 1'000'000) > 0);
      CHECK(writer->fits() == (one.size == k_size));
      const bool new_one = one.next.contents.info.sequence == 2;
      CHECK(write_all(*writer, one.next) == (new_one ? 2U : 0U));  // a config and a layer
      writer.reset();
      CHECK(tree_of(temp.path()) == whole(one.next, one.size));
    }
  }
}

TEST_CASE("what is begun in the place of a finished set may change its plan, and that set stays meanwhile") {
  const TempDirectory temp;
  const Sample before = two_images();
  const Sample next = with_a_new_one();
  write_all(*writer_at(temp, k_size), before);
  const auto files = tree_of(temp.path());
  {
    const auto writer = writer_at(temp, k_size);
    writer->begin(next.contents);
    writer->put_blob(next.blob_of(k_new), next.opener(next.blob_of(k_new)), transport::no_observer());
  }
  std::stop_source stop;
  stop.request_stop();
  for (const std::uint64_t size : {std::uint64_t{300'000}, std::uint64_t{120'000}}) {
    const auto writer = writer_at(temp, size, true, stop.get_token());
    CHECK(writer->partial_bytes(next.blob_of(k_new)) == k_new.size());
    CHECK_THROWS_AS(writer->begin(next.contents), diag::Interrupted);
    CHECK(holds(temp, files));
  }
  {
    const auto writer = writer_at(temp, k_size, false);  // not to be replaced after all
    CHECK(writer->finished());
    CHECK(writer->begun() == nullptr);
    CHECK(write_all(*writer, before) == 0);
    REQUIRE(writer->left_beside());
    CHECK(writer->left_beside()->files > 1);
  }
  CHECK(holds(temp, files));
  auto writer = writer_at(temp, k_size);
  writer->begin(next.contents);
  FaultyBlob source(k_new);
  writer->put_blob(next.blob_of(k_new), source.opener(), transport::no_observer());
  CHECK(source.offsets().empty());
  for (const Blob& blob : next.fetched()) writer->put_blob(blob, next.opener(blob), transport::no_observer());
  writer->commit();
  writer.reset();
  CHECK(tree_of(temp.path()) == whole(next, k_size));
}

TEST_CASE("a run that ended while new volumes took the names of old ones is finished, and nothing is mixed") {
  for (const Case& one : cases()) {
    const auto old_files = whole(two_images(), k_size);
    const auto new_files = whole(one.next, one.size);
    for (std::size_t named = 1; named < new_files.size(); ++named) {
      CAPTURE(std::string(one.name));
      CAPTURE(named);
      const TempDirectory temp;
      std::size_t number = 0;
      for (const auto& [name, bytes] : new_files)
        write_file(temp.path(++number <= named ? name : name + ".partial"), bytes);
      number = 0;
      for (const auto& [name, bytes] : old_files) {
        if (++number > named && number <= new_files.size()) write_file(temp.path(name), bytes);
      }
      auto writer = writer_at(temp, one.size);
      CHECK_FALSE(writer->finished());
      CHECK(write_all(*writer, one.next) == 0);
      writer.reset();
      CHECK(tree_of(temp.path()) == new_files);
    }
  }
}

TEST_CASE("volumes of one bundle that was cut in two ways are no set, however many there are") {
  const Sample wanted = two_images();
  const auto one = whole(wanted, k_size);
  const auto other = whole(wanted, k_size - 512);
  REQUIRE(one.size() == other.size());
  const TempDirectory temp;
  for (const auto& [name, bytes] : one)
    write_file(temp.path(name), name < volume(3) ? bytes : other.at(name));
  CHECK_THROWS_WITH_AS(writer_at(temp, k_size, false), doctest::Contains("are no whole bundle"),
                       diag::UsageError);
  CHECK_FALSE(writer_at(temp, k_size)->finished());
}

TEST_CASE("a run that ended while it put an unfinished set aside loses nothing of it") {
  const Sample wanted = two_images();
  const std::size_t count = layouts_of(wanted, k_size).size();
  for (const std::uint64_t size : {k_size, std::uint64_t{300'000}}) {
    for (std::size_t renamed = 1; renamed <= count; ++renamed) {
      CAPTURE(size);
      CAPTURE(renamed);
      const TempDirectory temp;
      std::size_t number = 0;
      for (const auto& [name, bytes] : whole(wanted, k_size))
        write_file(temp.path(name + (++number <= renamed ? ".replaced-1" : ".partial")), bytes);
      auto writer = writer_at(temp, size, false);
      CHECK(write_all(*writer, wanted) == 0);
      writer.reset();
      CHECK(tree_of(temp.path()) == whole(wanted, size));
    }
  }
}

TEST_CASE("volumes beyond the last of a finished set are somebody's, unless what is there may be replaced") {
  const TempDirectory temp;
  const Sample wanted = two_images();
  write_all(*writer_at(temp, k_size), wanted);
  const auto files = tree_of(temp.path());
  const std::string beyond = volume(files.size() + 1);
  write_file(temp.path(beyond), files.begin()->second);
  CHECK_THROWS_WITH_AS(writer_at(temp, k_size, false),
                       doctest::Contains("are not of the bundle that is finished"), diag::UsageError);
  CHECK(fs::exists(temp.path(beyond)));
  CHECK(write_all(*writer_at(temp, k_size), wanted) == 0);
  CHECK(tree_of(temp.path()) == files);
}

TEST_CASE("a piece that rotted between two runs is found when its volume is sealed, and comes anew") {
  for (const hash::Algorithm algorithm : {hash::Algorithm::sha256, hash::Algorithm::sha512}) {
    const Sample wanted = sample({{"example.com/app:1", {"base", k_large}, algorithm},
                                  {"example.com/web:2", {"base", noise(90'000, 2)}, algorithm}});
    const hash::Digest large = hash::digest_of(algorithm, k_large);
    const auto layouts = layouts_of(wanted, k_size);
    // A volume with a piece of the large one and with another blob, which comes in the second run.
    const auto shared = std::ranges::find_if(layouts, [&](const VolumeLayout& layout) {
      const auto& parts = layout.info().parts;
      return std::ranges::any_of(parts, [&](const Part& part) { return part.digest == large; }) &&
             std::ranges::any_of(parts, [&](const Part& part) {
               return part.digest != large && wanted.bytes.contains(part.digest);
             });
    });
    REQUIRE(shared != layouts.end());
    std::optional<hash::Digest> late;
    std::uint64_t in_piece = 0;  // an offset in the file
    for (std::size_t i = 0; i < shared->info().parts.size(); ++i) {
      const Part& part = shared->info().parts[i];
      if (part.digest == large) in_piece = shared->place_of(i).data + part.size / 2;
      if (part.digest != large && wanted.bytes.contains(part.digest)) late = part.digest;
    }
    const TempDirectory temp;
    {
      const auto writer = writer_at(temp, k_size);
      writer->begin(wanted.contents);
      for (const Blob& blob : wanted.fetched()) {
        if (blob.digest != *late) writer->put_blob(blob, wanted.opener(blob), transport::no_observer());
      }
      CHECK_THROWS_AS(writer->commit(), diag::InternalError);  // which publishes what is there
    }
    const std::string path = temp.path(volume(shared->info().number) + ".partial");
    std::string bytes = file_text(path);
    bytes[in_piece] ^= 1;
    write_file(path, bytes);
    CHECK_THROWS_WITH_AS(write_all(*writer_at(temp, k_size), wanted),
                         doctest::Contains("changed after it was written"), diag::IntegrityError);
    auto writer = writer_at(temp, k_size);
    const auto blob = std::ranges::find(wanted.contents.info.blobs, large, &Blob::digest);
    CHECK_FALSE(writer->has_blob(*blob));
    CHECK(write_all(*writer, wanted) > 0);
    writer.reset();
    for (const auto& [name, text] : tree_of(temp.path())) CHECK(fault_of(temp.path(name)) == "");
    CHECK(tree_of(temp.path()) == whole(wanted, k_size));
  }
}
