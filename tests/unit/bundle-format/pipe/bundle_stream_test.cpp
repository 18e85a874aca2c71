#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>

#include "bundle-format/bundle_reader.hpp"
#include "common/diag/error.hpp"
#include "common/hash/verifying_source.hpp"
#include "tests/unit/bundle-format/sample_bundle.hpp"

namespace airgap::bundle {
namespace {

/// A pipe that hands out a few bytes at a time.
class DripSource : public io::Source {
 public:
  DripSource(std::string bytes, std::size_t step) : m_bytes(std::move(bytes)), m_step(step) {}
  std::size_t read(std::span<std::byte> out) override {
    const std::size_t count = std::min({m_step, out.size(), m_bytes.size() - m_at});
    std::memcpy(out.data(), m_bytes.data() + m_at, count);
    m_at += count;
    return count;
  }

 private:
  std::string m_bytes;
  std::size_t m_step;
  std::size_t m_at = 0;
};

std::string read_text(io::Source& source) {
  return io::read_all(source, 1'000'000, "blob");
}

/// Reads a whole bundle; throws what reading it throws.
void read_through(const std::string& bytes, std::size_t step = 100'000) {
  DripSource input(bytes, step);
  open_stream(input)->for_each_blob([](const Blob&, io::Source& source) { read_text(source); });
}

image::Descriptor descriptor(const Sample& sample, const std::string& what) {
  return {.media_type = "", .digest = sample[what], .size = sample.blobs.at(sample[what]).size()};
}

}  // namespace

TEST_CASE("a bundle from a pipe gives its manifests, then every blob in order") {
  for (const Sha512 with : {Sha512::none, Sha512::layer}) {
    const Sample sample = make_sample(with);
    for (const std::size_t step : {std::size_t{1}, std::size_t{511}, std::size_t{100'000}}) {
      DripSource input(archive_of(sample), step);
      const auto stream = open_stream(input);
      CHECK(stream->info() == sample.contents.info);
      CHECK(stream->read_manifest(descriptor(sample, "app-arm64")) == sample.blobs.at(sample["app-arm64"]));
      std::vector<Blob> taken;
      stream->for_each_blob([&](const Blob& blob, io::Source& source) {
        CHECK(read_text(source) == sample.blobs.at(blob.digest));
        taken.push_back(blob);
      });
      std::vector<Blob> expected = sample.contents.info.blobs;
      std::erase_if(expected, [](const Blob& blob) { return blob.kind == BlobKind::manifest; });
      CHECK(taken == expected);
    }
  }
}

TEST_CASE("blobs that nobody takes are skipped, and verified all the same") {
  const Sample sample = make_sample();
  std::string bytes = archive_of(sample);
  DripSource good(bytes, 1000);
  CHECK_NOTHROW(open_stream(good)->for_each_blob([](const Blob&, io::Source&) {}));
  bytes[bytes.find("bytes that two images share")] ^= 1;
  DripSource bad(bytes, 1000);
  const auto stream = open_stream(bad);
  CHECK_THROWS_WITH_AS(stream->for_each_blob([](const Blob&, io::Source&) {}),
                       doctest::Contains("; it touches docker.io/library/app:1, quay.io/org/tool:2"),
                       diag::IntegrityError);
}

TEST_CASE("where a pipe is damaged around a blob, or breaks in it, the images are named that need it") {
  const std::string bytes = archive_of(make_sample());
  const std::size_t shared = bytes.find("bytes that two images share");
  const auto what = [](const std::string& damaged) -> std::string {
    try {
      read_through(damaged);
    } catch (const diag::IntegrityError& error) {
      return error.message();
    }
    return "whole";
  };
  std::string header = bytes;
  header[shared - 1] = 'x';
  std::string padding = bytes;
  padding[shared + 27] = 'x';
  for (const std::string& damaged : {header, padding, bytes.substr(0, shared), bytes.substr(0, shared + 5)})
    CHECK(what(damaged).find("; it touches docker.io/library/app:1, quay.io/org/tool:2") !=
          std::string::npos);
}

TEST_CASE("a manifest of the pipe is known by digest and size, and a blob is not asked for out of order") {
  const Sample sample = make_sample();
  DripSource input(archive_of(sample), 1000);
  const auto stream = open_stream(input);
  auto wanted = descriptor(sample, "tool");
  wanted.size += 1;
  CHECK_THROWS_AS(stream->read_manifest(wanted), diag::UnsafeError);
  CHECK_THROWS_AS(stream->read_manifest(descriptor(sample, "big")), diag::UnsafeError);
  CHECK_THROWS_AS(stream->open_blob(descriptor(sample, "big"), 0), diag::InternalError);
}

TEST_CASE("a pipe that ends early is noticed wherever it ends") {
  const std::string bytes = archive_of(make_sample());
  // Block edges, the bytes beside them, and a sample of all others.
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    if ((length + 1) % 512 > 2 && length % 11 != 0) continue;
    CHECK_THROWS_AS(read_through(bytes.substr(0, length)), diag::IntegrityError);
  }
  CHECK_NOTHROW(read_through(bytes));
}

TEST_CASE("a pipe that goes on after the end is noticed") {
  const std::string bytes = archive_of(make_sample());
  for (const std::string& more : {std::string("x"), std::string(512, '\0') + "x", bytes})
    CHECK_THROWS_WITH_AS(read_through(bytes + more), doctest::Contains("bytes follow the end of the archive"),
                         diag::IntegrityError);
}

TEST_CASE(
    "zeros that fill up the last block of a device are passed over, as long as there are not too many") {
  const std::string bytes = archive_of(make_sample());
  constexpr std::size_t k_most = std::size_t{1} << 20;
  for (const std::size_t zeros : {std::size_t{1}, std::size_t{512}, k_most})
    CHECK_NOTHROW(read_through(bytes + std::string(zeros, '\0')));
  CHECK_THROWS_WITH_AS(read_through(bytes + std::string(k_most + 1, '\0')),
                       doctest::Contains("zeros follow the end"), diag::IntegrityError);
}

TEST_CASE("a flipped bit anywhere in a bundle from a pipe is noticed") {
  const std::string bytes = archive_of(make_sample());
  for (std::size_t at = 0; at < bytes.size(); at += 7) {
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << (at % 8)));
    CHECK_THROWS_AS(read_through(flipped), diag::Error);
  }
}

TEST_CASE("a stream that is no bundle is refused, and an empty one was cut") {
  CHECK_THROWS_AS(read_through(std::string(10'000, 'x')), diag::UsageError);
  CHECK_THROWS_AS(read_through(""), diag::IntegrityError);
}

}  // namespace airgap::bundle
