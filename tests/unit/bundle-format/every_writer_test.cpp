/// What holds for every form of a bundle that a rerun continues.
#include <doctest/doctest.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <optional>

#include "common/diag/error.hpp"
#include "common/hash/verifying_source.hpp"
#include "tests/unit/bundle-format/writer_fixture.hpp"

using namespace airgap;
using namespace airgap::bundle;
using namespace airgap::bundle::testing;
namespace fs = std::filesystem;

namespace {

struct Form {
  const char* name;
  const char* output;
  std::optional<std::uint64_t> volume_size{};
  bool any_order = true;  ///< blobs may come as they like, and a part of one is kept
};
constexpr std::array k_forms{
    Form{"a directory", "out"}, Form{"an archive", "out.tar"}, Form{"volumes", "out.tar", 500'000},
    Form{.name = "a compressed archive", .output = "out.tar.zst", .any_order = false}};

/// One form, in a directory of its own.
class Place {
 public:
  explicit Place(const Form& form) : m_form(form) {}

  std::unique_ptr<BundleWriter> open() const {
    return open_writer({.path = m_temp.path(m_form.output), .volume_size = m_form.volume_size});
  }
  /// What verify finds.
  std::string fault() const {
    return fault_of(m_form.volume_size ? m_temp.path() : m_temp.path(m_form.output));
  }
  std::map<std::string, std::string> files() const { return tree_of(m_temp.path()); }
  bool is_empty() const { return fs::is_empty(m_temp.path()); }

 private:
  const Form& m_form;
  TempDirectory m_temp;
};

const std::string k_layer = noise(700'000, 1);  // the largest of two_images()

void put(BundleWriter& writer, const Sample& from, const Blob& blob) {
  writer.put_blob(blob, from.opener(blob), transport::no_observer());
}

/// What a run in one go writes.
std::map<std::string, std::string> written_at_once(const Form& form, const Sample& wanted) {
  const Place place(form);
  write_all(*place.open(), wanted);
  return place.files();
}

/// Files take at most so many bytes.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &m_old) == 0);
    const rlimit low{bytes, m_old.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &low) == 0);
  }
  ~FullDisk() { ::setrlimit(RLIMIT_FSIZE, &m_old); }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit m_old{};
};

}  // namespace

TEST_CASE("a bundle has the same bytes in whatever order its blobs arrive") {
  for (const Form& form : k_forms) {
    if (!form.any_order) continue;
    CAPTURE(form.name);
    const Sample wanted = two_images();
    std::vector<Blob> blobs = wanted.fetched();
    std::ranges::reverse(blobs);
    const Place place(form);
    auto writer = place.open();
    writer->begin(wanted.contents);
    for (const Blob& blob : blobs) put(*writer, wanted, blob);
    writer->commit();
    writer.reset();
    CHECK(place.files() == written_at_once(form, wanted));
  }
}

TEST_CASE("a blob that breaks off continues where it stopped, in the next run") {
  for (const Form& form : k_forms) {
    if (!form.any_order) continue;
    CAPTURE(form.name);
    const Place place(form);
    const Sample wanted = two_images();
    const Blob blob = wanted.blob_of(k_layer);
    {
      const auto writer = place.open();
      writer->begin(wanted.contents);
      FaultyBlob faulty(k_layer, 500'001);
      CHECK_THROWS_AS(writer->put_blob(blob, faulty.opener(), transport::no_observer()), diag::NetworkError);
    }
    auto writer = place.open();
    CHECK_FALSE(writer->finished());
    CHECK_FALSE(writer->has_blob(blob));
    CHECK(writer->partial_bytes(blob) == 500'001);
    const hash::Digest manifest = wanted.contents.info.images.front().digest;
    CHECK(writer->existing_manifest(manifest) == *wanted.contents.manifests.at(manifest));
    writer->begin(wanted.contents);
    FaultyBlob rest(k_layer);
    Tally tally;
    writer->put_blob(blob, rest.opener(), tally);
    CHECK(rest.offsets() == std::vector<std::uint64_t>{500'001});
    CHECK(tally.already == 500'001);
    CHECK(tally.moved == k_layer.size() - 500'001);
    for (const Blob& other : wanted.fetched()) put(*writer, wanted, other);
    writer->commit();
    writer.reset();
    CHECK(place.fault() == "");
    CHECK(place.files() == written_at_once(form, wanted));
  }
}

TEST_CASE("a run that ends without commit leaves its blobs for the next one") {
  for (const Form& form : k_forms) {
    CAPTURE(form.name);
    const Place place(form);
    const Sample wanted = two_images();
    {
      const auto writer = place.open();
      writer->begin(wanted.contents);
      for (const Blob& blob : wanted.fetched()) put(*writer, wanted, blob);
    }
    auto writer = place.open();
    CHECK_FALSE(writer->finished());
    writer->begin(wanted.contents);
    Tally tally;
    for (const Blob& blob : wanted.fetched()) writer->put_blob(blob, wanted.opener(blob), tally);
    CHECK(tally.moved == 0);
    writer->commit();
    writer.reset();
    CHECK(place.fault() == "");
  }
}

TEST_CASE("wrong bytes from the source are refused after a second try, and nothing of them stays") {
  std::string other_bit = k_layer;
  other_bit[5] ^= 1;
  for (const Form& form : k_forms) {
    for (const std::string& wrong : {other_bit, k_layer.substr(1), k_layer + "x"}) {
      CAPTURE(form.name);
      CAPTURE(wrong.size());
      const Place place(form);
      const Sample wanted = two_images();
      const Blob blob = wanted.blob_of(k_layer);
      {
        const auto writer = place.open();
        writer->begin(wanted.contents);
        FaultyBlob source(wrong);
        Tally tally;
        CHECK_THROWS_AS(writer->put_blob(blob, source.opener(), tally), hash::DigestMismatch);
        CHECK(source.offsets() == std::vector<std::uint64_t>{0, 0});
        if (form.any_order) CHECK(tally.lost >= k_layer.size() - 1 - io::k_pump_buffer);
        CHECK(writer->partial_bytes(blob) == 0);
        CHECK_FALSE(writer->has_blob(blob));
        CHECK_THROWS_AS(writer->commit(), diag::InternalError);
      }
      auto writer = place.open();
      CHECK(writer->partial_bytes(blob) == 0);
      write_all(*writer, wanted);
      writer.reset();
      CHECK(place.fault() == "");
    }
  }
}

TEST_CASE("two writers cannot have one place, and one that began nothing leaves no trace") {
  for (const Form& form : k_forms) {
    CAPTURE(form.name);
    const Place place(form);
    {
      const auto writer = place.open();
      CHECK_THROWS_AS(place.open(), diag::BusyError);
    }
    CHECK(place.is_empty());
    write_all(*place.open(), two_images());
    const auto before = place.files();
    static_cast<void>(place.open());
    CHECK(place.files() == before);
  }
}

TEST_CASE("a full disk is a storage error, and the rerun goes on") {
  for (const Form& form : k_forms) {
    if (!form.any_order) continue;
    CAPTURE(form.name);
    const Place place(form);
    const Sample wanted = two_images();
    const Blob blob = wanted.blob_of(k_layer);
    {
      const auto writer = place.open();
      writer->begin(wanted.contents);
      const FullDisk full(400'000);
      CHECK_THROWS_AS(put(*writer, wanted, blob), diag::StorageError);
    }
    auto writer = place.open();
    CHECK(writer->partial_bytes(blob) > 0);
    write_all(*writer, wanted);
    writer.reset();
    CHECK(place.fault() == "");
  }
}
