#include "bundle-format/read_back.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "bundle-format/metadata/layout.hpp"
#include "common/diag/error.hpp"
#include "common/hash/hasher.hpp"
#include "tests/unit/bundle-format/writer_fixture.hpp"

using namespace airgap;
using namespace airgap::bundle;
using namespace airgap::bundle::testing;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t k_mib = std::uint64_t{1} << 20;

std::vector<Blob> blobs_of(const std::vector<std::uint64_t>& sizes) {
  std::vector<Blob> blobs;
  for (const std::uint64_t size : sizes) {
    const hash::Digest digest = hash::sha256_of(fmt::format("blob {}", blobs.size()));
    blobs.push_back({digest, size, BlobKind::layer, size});
  }
  return blobs;
}

std::set<hash::Digest> digests_of(const std::vector<Blob>& blobs) {
  std::set<hash::Digest> digests;
  for (const Blob& blob : blobs) digests.insert(blob.digest);
  return digests;
}

std::vector<Blob> sample_of(const std::vector<Blob>& blobs, const std::vector<Blob>& written) {
  std::mt19937_64 dice(7);
  return choose_sample(blobs, written, dice);
}

struct Form {
  std::string output;
  std::optional<std::uint64_t> volume_size{};
};
const Form k_forms[] = {{"out/"}, {"out.tar"}, {"out.tar", 200'000}, {"out.tar.zst"}};

bool is_believed(const std::string& path) {
  try {
    return fault_of(path).empty();
  } catch (const diag::IntegrityError&) {
    return false;
  }
}

/// A sealed bundle and whoever sealed it.
struct Sealed {
  TempDirectory temp;
  Form form;
  Sample wanted = two_images();
  std::unique_ptr<BundleWriter> writer = open();

  explicit Sealed(const Form& kind) : form(kind) { write_all(*writer, wanted); }
  std::unique_ptr<BundleWriter> open() const {
    return open_writer({.path = temp.path(form.output), .volume_size = form.volume_size});
  }
  ReadBack read(MediaCheck depth) const {
    return read_back(*writer, depth, wanted.fetched(), {}, [](std::uint64_t) {});
  }
  /// Changes every file in which these bytes lie, once, at their front.
  void damage(const std::string& bytes) const {
    std::size_t changed = 0;
    for (auto& [name, text] : tree_of(temp.path())) {
      const std::size_t at = text.find(bytes);
      if (at == text.npos) continue;
      std::string other = text;
      other[at] ^= 1;
      write_file(temp.path(name), other);
      ++changed;
    }
    REQUIRE(changed > 0);
  }
  /// What a rerun puts anew.
  std::size_t write_again() {
    writer.reset();
    writer = open();
    return write_all(*writer, wanted);
  }
};

}  // namespace

TEST_CASE("a sample has what was written last, and something of every part of the bundle") {
  const std::vector<Blob> blobs = blobs_of(std::vector<std::uint64_t>(1000, k_mib));
  const std::vector<Blob> written(blobs.begin() + 200, blobs.begin() + 300);
  const std::vector<Blob> chosen = sample_of(blobs, written);
  const std::set<hash::Digest> digests = digests_of(chosen);
  for (std::size_t i = 297; i < 300; ++i) CHECK(digests.contains(blobs[i].digest));
  for (std::size_t part = 0; part < 10; ++part) {
    CHECK(std::any_of(blobs.begin() + static_cast<long>(part) * 100,
                      blobs.begin() + static_cast<long>(part + 1) * 100,
                      [&](const Blob& blob) { return digests.contains(blob.digest); }));
  }
  CHECK(chosen.size() < 50);
}

TEST_CASE("where nothing was written the end of the bundle is looked at") {
  const std::vector<Blob> blobs = blobs_of(std::vector<std::uint64_t>(100, k_mib));
  CHECK(digests_of(sample_of(blobs, {})).contains(blobs.back().digest));
}

TEST_CASE("a sample has layers of every part also where all are large") {
  const std::vector<Blob> blobs = blobs_of(std::vector<std::uint64_t>(12, 10 * k_mib));
  CHECK(digests_of(sample_of(blobs, {})).size() == 12);
}

TEST_CASE("a sample stays small where blobs are large, unless they were written last") {
  std::vector<std::uint64_t> sizes(100, 1024 * k_mib);
  sizes[50] = 1000;
  const std::vector<Blob> blobs = blobs_of(sizes);
  const std::vector<Blob> chosen = sample_of(blobs, {blobs[1]});
  CHECK(digests_of(chosen).contains(blobs[1].digest));
  std::uint64_t bytes = 0;
  for (const Blob& blob : chosen) bytes += blob.stored_size;
  CHECK(bytes <= 1024 * k_mib + 100 * 1024 * k_mib / 16);
}

TEST_CASE("nothing to read back is no trouble") {
  CHECK(sample_of({}, {}).empty());
}

TEST_CASE("what was sealed is read back, whole or in part") {
  for (const Form& form : k_forms) {
    CAPTURE(form.output);
    const Sealed sealed(form);
    const ReadBack whole = sealed.read(MediaCheck::full);
    CHECK(whole.findings.empty());
    CHECK(whole.images.empty());
    CHECK(whole.bytes > sealed.wanted.contents.info.stored_bytes());
    CHECK(sealed.read(MediaCheck::sample).findings.empty());
  }
}

TEST_CASE("a damaged blob is named with its file and its images, and alone is put anew") {
  for (const Form& form : k_forms) {
    CAPTURE(form.output);
    Sealed sealed(form);
    const std::string layer = noise(90'000, 2);
    sealed.damage(layer.substr(0, 100));
    const ReadBack read = sealed.read(MediaCheck::sample);
    REQUIRE(read.findings.size() == 1);
    CHECK(read.findings.front().file.find(blob_path(hash::sha256_of(layer))) != std::string::npos);
    CHECK((read.findings.front().file.find(".tar: ") != std::string::npos) == form.volume_size.has_value());
    CHECK(read.images == std::vector<std::string>{"example.com/web:2"});
    CHECK(read.damaged == std::vector{hash::sha256_of(layer)});
    sealed.writer->retract(read.damaged);
    CHECK_FALSE(is_believed(sealed.temp.path(form.output)));
    CHECK(sealed.write_again() == 1);
    CHECK(fault_of(sealed.temp.path(form.output)) == "");
  }
}

TEST_CASE("what a run without anything new finds damaged is taken back as well") {
  for (const Form& form : k_forms) {
    CAPTURE(form.output);
    Sealed sealed(form);
    CHECK(sealed.write_again() == 0);
    sealed.damage(noise(90'000, 2).substr(0, 100));
    const ReadBack read = sealed.read(MediaCheck::full);
    REQUIRE(read.damaged.size() == 1);
    sealed.writer->retract(read.damaged);
    CHECK(sealed.write_again() == 1);
    CHECK(fault_of(sealed.temp.path(form.output)) == "");
  }
}

TEST_CASE("damage around the blobs is mended by a rerun") {
  for (const Form& form : k_forms) {
    if (form.output == "out.tar.zst") continue;  // compressed: that text is not to be found in it
    CAPTURE(form.output);
    Sealed sealed(form);
    sealed.damage("# airgap bundle format 1");  // of volumes, the first file of check sums in each
    const ReadBack read = sealed.read(MediaCheck::full);
    CHECK_FALSE(read.findings.empty());
    sealed.writer->retract(read.damaged);
    // A head that cannot be read leaves the blobs behind it unread, and what was not read is not to be
    // trusted.
    CHECK((sealed.write_again() == 0) == (form.output == "out/"));
    CHECK(fault_of(sealed.temp.path(form.output)) == "");
  }
}

TEST_CASE("a volume that lost its check sums gets them anew, and one that lost its head is written anew") {
  for (const std::string lost : {"volume 2 of", R"("number":2)"}) {
    CAPTURE(lost);
    Sealed sealed(k_forms[2]);
    sealed.damage(lost);
    const ReadBack read = sealed.read(MediaCheck::full);
    REQUIRE_FALSE(read.findings.empty());
    CHECK(read.findings.front().file.starts_with("out.002.tar: "));
    sealed.writer->retract(read.damaged);
    const std::size_t put = sealed.write_again();
    CHECK((put == 0) == (lost == "volume 2 of"));
    CHECK(put < sealed.wanted.bytes.size());
    CHECK(fault_of(sealed.temp.path("out.tar")) == "");
  }
}

TEST_CASE("a volume that is zeros altogether does not hide what is wrong with the others") {
  Sealed sealed(k_forms[2]);
  const std::string first = sealed.temp.path("out.001.tar");
  write_file(first, std::string(fs::file_size(first), '\0'));
  sealed.damage(noise(90'000, 2).substr(0, 100));
  const ReadBack read = sealed.read(MediaCheck::full);
  CHECK(read.damaged == std::vector{hash::sha256_of(noise(90'000, 2))});
  sealed.writer->retract(read.damaged);
  CHECK(sealed.write_again() > 1);
  CHECK(fault_of(sealed.temp.path("out.tar")) == "");
}

TEST_CASE("what an operating system keeps to itself on the medium is no obstacle") {
  const Sealed sealed({"out/"});
  const std::string kept = sealed.temp.path("out/lost+found");
  fs::create_directory(kept);
  write_file(kept + "/1234", "what fsck found");
  const uid_t user = ::geteuid();
  if (user == 0) {  // root reads everything
    constexpr uid_t k_nobody = 65534;
    for (const auto& entry : fs::recursive_directory_iterator(sealed.temp.path()))
      REQUIRE(::lchown(entry.path().c_str(), k_nobody, k_nobody) == 0);
    REQUIRE(::lchown(sealed.temp.path().c_str(), k_nobody, k_nobody) == 0);
    REQUIRE(::seteuid(k_nobody) == 0);
  }
  fs::permissions(kept, fs::perms::none);
  CHECK(sealed.read(MediaCheck::full).findings.empty());
  fs::permissions(kept, fs::perms::owner_all);
  REQUIRE(::seteuid(user) == 0);
}
