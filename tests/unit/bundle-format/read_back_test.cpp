#include "bundle-format/read_back.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "bundle-format/layout.hpp"
#include "common/hash/hasher.hpp"
#include "writer_fixture.hpp"

using namespace airgap;
using namespace airgap::bundle;
using namespace airgap::bundle::testing;

namespace {

constexpr std::uint64_t k_mib = std::uint64_t{1} << 20;

std::vector<Blob> layers(std::size_t count, std::uint64_t size) {
  std::vector<Blob> blobs;
  for (std::size_t i = 0; i < count; ++i)
    blobs.push_back({hash::sha256_of(std::to_string(i)), size, BlobKind::layer, size});
  return blobs;
}

std::uint64_t bytes_of(const std::vector<Blob>& blobs) {
  std::set<hash::Digest> seen;
  std::uint64_t bytes = 0;
  for (const Blob& blob : blobs) {
    if (seen.insert(blob.digest).second) bytes += blob.stored_size;
  }
  return bytes;
}

std::vector<Finding> findings_of(const std::string& path, MediaCheck depth) {
  return read_back(path, depth, {}, {}, [](std::uint64_t) {}).findings;
}

}  // namespace

TEST_CASE("a sample has the last that was written, something of every part, and stays small") {
  std::mt19937_64 dice(1);
  const std::vector<Blob> blobs = layers(10'000, k_mib);
  for (int round = 0; round < 20; ++round) {
    const std::vector<Blob> sample = choose_sample(blobs, {}, dice);
    for (std::size_t last = 1; last <= 3; ++last)
      CHECK(std::ranges::find(sample, blobs[blobs.size() - last]) != sample.end());
    CHECK(bytes_of(sample) <= 700 * k_mib);
    for (std::size_t part = 0; part < 32; ++part) {
      const auto from = blobs.begin() + static_cast<std::ptrdiff_t>(part * blobs.size() / 32);
      const auto to = from + static_cast<std::ptrdiff_t>(blobs.size() / 32 + 1);
      CHECK(std::any_of(from, std::min(to, blobs.end()),
                        [&](const Blob& blob) { return std::ranges::find(sample, blob) != sample.end(); }));
    }
  }
}

TEST_CASE("a sample has what this run wrote last, though it lies elsewhere") {
  std::mt19937_64 dice(1);
  const std::vector<Blob> blobs = layers(1000, 40 * k_mib);
  const std::vector<Blob> written(blobs.begin() + 10, blobs.begin() + 12);
  const std::vector<Blob> sample = choose_sample(blobs, written, dice);
  for (const Blob& blob : written) CHECK(std::ranges::find(sample, blob) != sample.end());
  CHECK(choose_sample({}, {}, dice).empty());
}

TEST_CASE("what is damaged on the medium is found, whatever its kind") {
  const TempDirectory temp;
  const Sample wanted = sample({{"example.com/app:1", {"base", noise(300'000, 1)}}});
  write_bundle(temp.path("out"), wanted);
  write_bundle(temp.path("out.tar"), wanted);
  for (const MediaCheck depth : {MediaCheck::sample, MediaCheck::full}) {
    CHECK(findings_of(temp.path("out"), depth).empty());
    CHECK(findings_of(temp.path("out.tar"), depth).empty());
  }
  const std::string layer = temp.path("out/" + blob_path(wanted.blob_of(noise(300'000, 1)).digest));
  const std::string bytes = file_text(layer);
  write_file(layer, bytes.substr(0, 200'000) + std::string(100'000, '\0'));
  CHECK(findings_of(temp.path("out"), MediaCheck::sample)
            .front()
            .problem.ends_with("the medium gives zeros from byte 200000 on"));
  write_file(layer, bytes.substr(0, 200'000) + std::string(100'000, 'x'));
  CHECK(findings_of(temp.path("out"), MediaCheck::full).size() == 1);
  write_file(temp.path("out.tar"), std::string(100'000, '\0'));
  CHECK_FALSE(findings_of(temp.path("out.tar"), MediaCheck::sample).empty());
}

TEST_CASE("a bundle that is taken back is unfinished, and a rerun brings what was damaged") {
  const TempDirectory temp;
  const Sample wanted = sample({{"example.com/app:1", {"base", noise(300'000, 1)}}});
  const Blob damaged = wanted.blob_of("base");
  for (const std::string name : {"out", "out.tar"}) {
    CAPTURE(name);
    for (int run = 0; run < 2; ++run) {  // also when the run that takes it back has nothing to write
      const auto writer = open_writer({temp.path(name)});
      CHECK(write_all(*writer, wanted) == (run == 0 ? wanted.fetched().size() : 0));
      if (run == 1) writer->retract({damaged.digest});
    }
    CHECK(fault_of(temp.path(name)) != "");
    const auto writer = open_writer({temp.path(name)});
    CHECK_FALSE(writer->finished());
    CHECK_FALSE(writer->has_blob(damaged));
    CHECK(write_all(*writer, wanted) == 1);
    CHECK(fault_of(temp.path(name)) == "");
  }
}
