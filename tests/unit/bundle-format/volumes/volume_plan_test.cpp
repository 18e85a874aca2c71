#include "bundle-format/volumes/volume_plan.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "bundle-format/volumes/tiling.hpp"
#include "bundle-format/volumes/volume_size.hpp"
#include "common/diag/error.hpp"
#include "common/hash/hasher.hpp"
#include "tests/unit/bundle-format/volumes/blobs_of_sizes.hpp"
#include "tests/unit/bundle-format/writer_fixture.hpp"

using namespace airgap;
using namespace airgap::bundle;
using namespace airgap::bundle::testing;

namespace {

VolumePlan plan_of(const std::vector<std::uint64_t>& sizes, std::uint64_t volume_size) {
  return plan_volumes(k_head, blobs_of(sizes), volume_size);
}

/// The length of the one volume that holds blobs of these sizes.
std::uint64_t length_of(const std::vector<std::uint64_t>& sizes) {
  return plan_of(sizes, std::uint64_t{1} << 40).volumes.front().length();
}

/// The sizes of the parts, a list for each volume.
std::vector<std::vector<std::uint64_t>> sizes_in(const VolumePlan& plan) {
  std::vector<std::vector<std::uint64_t>> list;
  for (const VolumeLayout& volume : plan.volumes) {
    list.emplace_back();
    for (const Part& part : volume.info().parts) list.back().push_back(part.size);
  }
  return list;
}

}  // namespace

TEST_CASE("blobs fill one volume after the other and are cut where they do not fit") {
  const std::uint64_t exact = length_of({1000, 5000});
  using Sizes = std::vector<std::vector<std::uint64_t>>;
  struct Case {
    std::string what;
    std::vector<std::uint64_t> blobs;
    std::uint64_t volume_size;
    Sizes parts;
  };
  const std::vector<Case> cases{
      {"nothing to carry is one volume", {}, exact, {{}}},
      {"room to spare", {1000, 5000}, exact + 5000, {{1000, 5000}}},
      {"an exact fit", {1000, 5000}, exact, {{1000, 5000}}},
      {"one byte of room less cuts a block off", {1000, 5000}, exact - 1, {{1000, 4608}, {392}}},
      {"one byte of blob more than its padding holds", {1000, 5121}, exact, {{1000, 5120}, {1}}},
      {"a piece is at most all but the last block", {1000, 5120}, exact - 1, {{1000, 4608}, {512}}},
      {"no piece without a block of room", {5000, 1000}, length_of({5000}), {{5000}, {1000}}},
      {"a blob without bytes goes along", {1000, 0, 5000}, length_of({1000, 0, 5000}), {{1000, 0, 5000}}},
  };
  for (const Case& one : cases) {
    CAPTURE(one.what);
    const VolumePlan plan = plan_of(one.blobs, one.volume_size);
    CHECK(sizes_in(plan) == one.parts);
    for (const VolumeLayout& volume : plan.volumes) {
      CHECK(volume.length() <= one.volume_size);
      CHECK(volume.info().count == plan.volumes.size());
    }
  }
}

TEST_CASE("volumes are full up to a block, hold every byte once, and each says what it is") {
  for (const std::uint64_t volume_size : {20'000U, 33'333U, 65'536U, 100'001U}) {
    CAPTURE(volume_size);
    const BundleInfo info = blobs_of({10, 100'000, 512, 0, 513, 300'000, 70'000, 1, 65'536});
    const VolumePlan plan = plan_volumes(k_head, info, volume_size);
    Tiling tiling(info);
    for (std::size_t i = 0; i < plan.volumes.size(); ++i) {
      CHECK(plan.volumes[i].info().number == i + 1);
      CHECK(parse_volume_json(plan.volumes[i].json()) == plan.volumes[i].info());
      CHECK(plan.volumes[i].length() <= volume_size);
      if (i + 1 < plan.volumes.size()) CHECK(plan.volumes[i].length() + 3 * tar::k_block > volume_size);
      tiling.add(plan.volumes[i].info());
    }
    tiling.finish(plan.volumes.size());
    CHECK(tiling.gaps().empty());
    for (std::size_t i = 0; i < info.blobs.size(); ++i) CHECK(tiling.covers(i));
  }
}

TEST_CASE("sizes that cannot work are refused with one that can") {
  CHECK_THROWS_WITH_AS(plan_of({100'000}, 4096), doctest::Contains("too small"), diag::UsageError);
  CHECK_THROWS_WITH_AS(plan_of({1'000'000'000}, 16'384), doctest::Contains("more than 999"),
                       diag::UsageError);
  try {
    plan_of({100'000}, 4096);
  } catch (const diag::UsageError& error) {
    const std::string hint = error.hint();
    CHECK_NOTHROW(plan_of({100'000}, std::stoull(hint.substr(hint.find_first_of("0123456789")))));
  }
}

TEST_CASE("a volume that is not there takes along what it holds, and no more") {
  const BundleInfo info = blobs_of({1000, 30'000, 1000, 1000});
  const VolumePlan plan = plan_volumes(k_head, info, length_of({1000, 6000}));
  REQUIRE(plan.volumes.size() == 5);
  const auto lost_without = [&](const std::vector<std::size_t>& gone) {
    Tiling tiling(info);
    for (std::size_t i = 0; i < plan.volumes.size(); ++i) {
      if (std::ranges::find(gone, i + 1) == gone.end()) tiling.add(plan.volumes[i].info());
    }
    tiling.finish(plan.volumes.size());
    std::vector<std::size_t> lost;
    for (std::size_t i = 0; i < info.blobs.size(); ++i) {
      if (!tiling.covers(i)) lost.push_back(i);
    }
    return lost;
  };
  using Lost = std::vector<std::size_t>;
  CHECK(lost_without({}) == Lost{});
  CHECK(lost_without({1}) == Lost{0, 1});
  CHECK(lost_without({2}) == Lost{1});
  CHECK(lost_without({2, 3}) == Lost{1});
  CHECK(lost_without({1, 2, 3, 4, 5}) == Lost{0, 1, 2, 3});
}

TEST_CASE("what does not tile the blobs is refused") {
  const BundleInfo info = blobs_of({1000, 2000});
  const hash::Digest first = info.blobs[0].digest;
  const hash::Digest second = info.blobs[1].digest;
  struct Case {
    std::string what;
    std::vector<Part> parts;
  };
  const std::vector<Case> cases{
      {"a blob too few", {{first, 0, 1000, 0}}},
      {"another order", {{second, 0, 2000, 0}, {first, 0, 1000, 0}}},
      {"a blob twice", {{first, 0, 1000, 0}, {first, 0, 1000, 0}, {second, 0, 2000, 0}}},
      {"a foreign blob", {{first, 0, 1000, 0}, {hash::sha256_of("x"), 0, 2000, 0}}},
      {"another size", {{first, 0, 999, 0}, {second, 0, 2000, 0}}},
      {"pieces with a hole", {{first, 0, 1000, 0}, {second, 0, 512, 1}, {second, 1024, 976, 2}}},
      {"pieces that overlap", {{first, 0, 1000, 0}, {second, 0, 1024, 1}, {second, 512, 1488, 2}}},
      {"a piece that is longer than the blob",
       {{first, 0, 1000, 0}, {second, 0, 512, 1}, {second, 512, 1489, 2}}},
      {"a piece that is all of it", {{first, 0, 1000, 1}, {second, 0, 2000, 0}}},
      {"pieces numbered otherwise", {{first, 0, 1000, 0}, {second, 0, 512, 1}, {second, 512, 1488, 3}}},
      {"one more at the end", {{first, 0, 1000, 0}, {second, 0, 2000, 0}, {second, 0, 2000, 0}}},
  };
  for (const Case& one : cases) {
    CAPTURE(one.what);
    Tiling tiling(info);
    const auto all = [&] {
      tiling.add({.stream = info.stream, .number = 1, .count = 1, .parts = one.parts});
      tiling.finish(1);
    };
    CHECK_THROWS_AS(all(), diag::UnsafeError);
  }
}

TEST_CASE("volume.json is read strictly") {
  const std::string digest = hash::sha256_of("a").str();
  const auto json = [&](const std::string& numbers, const std::string& holds) {
    return R"({"format":1,"stream":"0123456789abcdef0123456789abcdef","sequence":1,)" + numbers +
           R"(,"holds":[)" + holds + "]}";
  };
  const std::string entry = R"({"digest":")" + digest + R"(","size":5)";
  CHECK(parse_volume_json(json(R"("number":2,"count":3)", entry + "}")).str() == "volume 2 of 3");
  const std::vector<std::string> refused{
      json(R"("number":0,"count":3)", entry + "}"),
      json(R"("number":4,"count":3)", entry + "}"),
      json(R"("number":1,"count":1000)", entry + "}"),
      json(R"("number":1,"count":1)", R"({"digest":"sha256:00","size":5})"),
      json(R"("number":1,"count":1)", entry + R"(,"part":0,"offset":0})"),
      json(R"("number":1,"count":1)", entry + R"(,"part":10000,"offset":0})"),
      json(R"("number":1,"count":1)", entry + R"(,"part":1})"),
      json(R"("number":1,"count":1)", R"({"digest":")" + digest + R"(","size":0,"part":1,"offset":0})"),
      json(R"("number":1,"count":1)", R"({"digest":")" + digest + R"(","size":-1})"),
      R"({"format":2,"stream":"0123456789abcdef0123456789abcdef","sequence":1,"number":1,"count":1,"holds":[]})",
      R"({"format":1,"stream":"../x","sequence":1,"number":1,"count":1,"holds":[]})",
      "{}",
      "",
  };
  for (const std::string& text : refused) {
    CAPTURE(text);
    CHECK_THROWS_AS(parse_volume_json(text), diag::UnsafeError);
  }
  std::string most;  // of what one blob may have, more often than any file is large
  for (int i = 0; i < 1025; ++i)
    most += (i == 0 ? "" : ",") + std::string("{\"digest\":\"") + hash::sha256_of(std::to_string(i)).str() +
            "\",\"size\":1125899906842624}";
  CHECK_THROWS_WITH_AS(parse_volume_json(json(R"("number":2,"count":3)", most)),
                       doctest::Contains("more bytes than a volume may have"), diag::UnsafeError);
}

TEST_CASE("a volume size is a number with a unit or the name of a medium") {
  CHECK(parse_volume_size("fat32") == 4'294'901'760);
  CHECK(parse_volume_size("1MiB") == 1'048'576);
  CHECK(parse_volume_size("4GiB") == 4'294'967'296);
  CHECK(parse_volume_size("700MB") == 700'000'000);
  CHECK(parse_volume_size("65536") == 65'536);
  CHECK(parse_volume_size("dvd") < 4'700'372'992);
  CHECK(parse_volume_size("bd") < 24'220'008'448);
  for (const char* text : {"FAT32", "Fat32"}) CHECK(parse_volume_size(text) == parse_volume_size("fat32"));
  CHECK(parse_volume_size("DVD") == parse_volume_size("dvd"));
  CHECK(parse_volume_size("BD") == parse_volume_size("bd"));
}

TEST_CASE("a letter alone is a power of 1024, and one with B a power of 1000, as for split") {
  CHECK(parse_volume_size("10K") == 10'240);
  CHECK(parse_volume_size("10KB") == 10'000);
  CHECK(parse_volume_size("700M") == 734'003'200);
  CHECK(parse_volume_size("4G") == 4'294'967'296);
  CHECK(parse_volume_size("4GB") == 4'000'000'000);
  CHECK(parse_volume_size("1T") == 1'099'511'627'776);
}

TEST_CASE("what is no volume size is refused with what to write instead") {
  struct Row {
    const char* text;
    const char* hint;
  };
  for (const Row& row :
       {Row{"", "for instance 4GiB"}, Row{"0", "for instance 4GiB"}, Row{"4 GiB", "for instance 4GiB"},
        Row{"-1", "for instance 4GiB"}, Row{"cd", "for instance 4GiB"},
        Row{"99999999999TiB", "for instance 4GiB"}, Row{"GiB", "for instance 4GiB"},
        Row{"4gb", "units have capital letters: 4GB"}, Row{"4gib", "units have capital letters: 4GiB"},
        Row{"700m", "units have capital letters: 700M"}, Row{"1.5GiB", "whole numbers only: 1500MB"},
        Row{"1,5GB", "whole numbers only"}}) {
    CAPTURE(std::string(row.text));
    try {
      parse_volume_size(row.text);
      FAIL_CHECK("it was taken");
    } catch (const diag::UsageError& error) {
      CHECK(error.hint().find(row.hint) != std::string::npos);
    }
  }
}
