/// No bit of a bundle may change, and no byte be cut off, without verify saying so and naming the right
/// images. By default a bit of every few bytes; AIRGAP_EVERY_BIT=1 in the environment tries them all
/// (minutes).
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "bundle-format/compressed/frame_cuts.hpp"
#include "bundle-format/metadata/layout.hpp"
#include "common/diag/error.hpp"
#include "common/tar/tar_layout.hpp"
#include "common/zstd/seek_table.hpp"
#include "tests/unit/bundle-format/writer_fixture.hpp"

using namespace airgap;
using namespace airgap::bundle;
using namespace airgap::bundle::testing;
namespace fs = std::filesystem;

namespace {

using Names = std::set<std::string>;

struct Form {
  const char* name;
  const char* output;
  std::optional<std::uint64_t> volume_size{};
};
constexpr Form k_forms[] = {{"a directory", "out"},
                            {"an archive", "out.tar"},
                            {"a compressed archive", "out.tar.zst"},
                            {"volumes", "out.tar", 17'000}};

/// Bytes between two that are tried: no divisor of a block's 512.
std::size_t stride(std::size_t usual) {
  return std::getenv("AIRGAP_EVERY_BIT") != nullptr ? 1 : usual;
}
std::size_t bits_tried() {
  return std::getenv("AIRGAP_EVERY_BIT") != nullptr ? 8 : 1;
}

/// What lies where in a file of the bundle, and whom it concerns.
struct Region {
  std::size_t end = 0;  ///< the byte after it
  std::string file;     ///< in the bundle; empty for the end of an archive
};

std::vector<Region> regions_of(const std::string& name, const std::string& bytes) {
  if (!name.ends_with(".tar")) return {{bytes.size(), name}};
  std::vector<Region> regions;
  std::size_t at = 0;
  std::size_t unpadded = 0;
  while (const auto header = tar::parse_header(std::string_view(bytes).substr(at, tar::k_block))) {
    at += tar::k_block + tar::padded(header->member.size);
    regions.push_back({at, header->member.name});
    unpadded = at - tar::padded(header->member.size) + header->member.size;
  }
  regions.back().end = unpadded;  // the padding of the last one is the end's
  regions.push_back({bytes.size(), ""});
  return regions;
}

/// The frames of a compressed archive: those of one blob are its file's, all others are mixed.
std::vector<Region> regions_of_frames(const std::string& path, std::size_t size, const Contents& contents) {
  const ArchivePlan plan(metadata_files(contents), contents.info);
  compressed::FrameCuts cuts(plan);
  std::vector<Region> regions;
  std::size_t at = 0;
  for (const zstd::Frame& frame : zstd::read_seek_table(io::File::open_read(path))) {
    regions.push_back({at += frame.stored, ""});
    const auto cut = cuts.next().value();
    for (std::size_t i = 0; cut.of_blob && i < plan.blobs.size(); ++i) {
      if (plan.place_of(i).data <= cut.begin) regions.back().file = blob_path(plan.blobs[i].digest);
    }
    cuts.advance();
  }
  regions.push_back({size, ""});
  return regions;
}

class Bundle {
 public:
  explicit Bundle(const Form& form) : m_form(form) {
    write_all(*open_writer({.path = m_temp.path(form.output), .volume_size = form.volume_size}), m_sample);
    m_files = tree_of(m_temp.path());
    m_all = names_of(report());
  }

  const std::map<std::string, std::string>& files() const { return m_files; }
  std::string path(const std::string& file) const { return m_temp.path(file); }
  std::vector<Region> regions(const std::string& file) const {
    const std::string& bytes = m_files.at(file);
    return is_compressed() ? regions_of_frames(path(file), bytes.size(), m_sample.contents)
                           : regions_of(file, bytes);
  }

  /// What verify finds; nothing when it does not open at all, which is as good.
  std::optional<VerifyReport> report() const {
    try {
      const bool volumes = m_form.volume_size.has_value();
      return verify_bundle(volumes ? m_temp.path() : m_temp.path(m_form.output), 1, {}, [](std::uint64_t) {});
    } catch (const diag::Error& error) {
      CHECK(error.kind() != diag::ErrorKind::internal);
      return std::nullopt;
    }
  }

  /// The images that need the blob of a file or piece; all of them where it is every image's.
  Names images_of(std::string file) const {
    file = file.substr(0, file.find(".part-"));
    const auto digest = digest_of_path(file.substr(std::min(file.find("blobs/"), file.size())));
    Names names;
    for (std::size_t i = 0; i < m_sample.contents.info.images.size(); ++i) {
      const Image& image = m_sample.contents.info.images[i];
      const DockerImage& docker = m_sample.contents.docker_images[i];
      if (!digest || image.digest == *digest || docker.config == *digest ||
          std::ranges::find(docker.layers, *digest) != docker.layers.end())
        names.insert(image.name.str());
    }
    return names;
  }

  Names names_of(const std::optional<VerifyReport>& found) const {
    Names names;
    if (!found || !found->info) return names;
    for (const Image& image : found->info->images) names.insert(image.name.str());
    return names;
  }
  const Names& all() const { return m_all; }
  /// What is no blob's here may be that of some images.
  bool is_mixed() const { return m_form.volume_size || is_compressed(); }

 private:
  bool is_compressed() const { return std::string_view(m_form.output).ends_with(".zst"); }

  const Form& m_form;
  TempDirectory m_temp;
  Sample m_sample = sample(
      {{"example.com/app:1", {"base", "only in app"}}, {"example.com/web:2", {"base", "only in web"}}});
  std::map<std::string, std::string> m_files;
  Names m_all;
};

void overwrite(const std::string& path, std::size_t offset, char byte) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(offset));
  file.put(byte);
}

/// Damage that was not found, or blamed on others than these images.
struct Judgement {
  std::size_t tried = 0;
  std::size_t unfound = 0;
  std::size_t misblamed = 0;
  std::string first{};

  /// `needed` are touched for sure; `exactly`: and no others.
  void judge(const Bundle& bundle, const std::string& what, const Names& needed, bool exactly) {
    ++tried;
    const auto report = bundle.report();
    if (!report) return;
    if (report->findings.empty()) {
      ++unfound;
      if (first.empty()) first = what + " is not found";
      return;
    }
    if (!report->info) return;  // verify says that all of them are touched
    const Names damaged(report->damaged.begin(), report->damaged.end());
    const bool right = exactly ? damaged == needed : std::ranges::includes(damaged, needed);
    if (right) return;
    ++misblamed;
    if (first.empty()) {
      first = what + " touches";
      for (const std::string& name : damaged) first += " " + name;
      first += ", says " + report->findings.front().file + ": " + report->findings.front().problem;
    }
  }
};

bool is_blob(const std::string& file) {
  return file.find("blobs/") != std::string::npos;
}

void flip_bits(const Form& form) {
  const Bundle bundle(form);
  REQUIRE(bundle.report()->findings.empty());
  Judgement judgement;
  for (const auto& [name, bytes] : bundle.files()) {
    const std::vector<Region> regions = bundle.regions(name);
    auto region = regions.begin();
    for (std::size_t at = 0; at < bytes.size(); at += stride(11)) {
      while (region->end <= at) ++region;
      for (std::size_t bit = 0; bit < bits_tried(); ++bit) {
        const unsigned flip = 1U << ((at + bit) % 8);
        overwrite(bundle.path(name), at, static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ flip));
        const std::string what =
            "bit " + std::to_string((at + bit) % 8) + " of byte " + std::to_string(at) + " of " + name;
        if (is_blob(region->file)) {
          judgement.judge(bundle, what, bundle.images_of(region->file), true);
        } else if (region->file.empty() || bundle.is_mixed()) {
          judgement.judge(bundle, what, {}, false);
        } else {
          // bundle.json may call an image something else now.
          const auto report = bundle.report();
          judgement.judge(bundle, what, report ? bundle.names_of(report) : Names{}, true);
        }
      }
      overwrite(bundle.path(name), at, bytes[at]);
    }
  }
  CHECK(bundle.report()->findings.empty());
  CHECK(judgement.tried > 300);
  CHECK(judgement.unfound == 0);
  CHECK(judgement.first == "");
  CHECK(judgement.misblamed == 0);
  MESSAGE(std::string(form.name), ": ", judgement.tried, " flips");
}

void cut(const Form& form) {
  const Bundle bundle(form);
  Judgement judgement;
  for (const auto& [name, bytes] : bundle.files()) {
    const std::vector<Region> regions = regions_of(name, bytes);
    for (std::size_t length = bytes.size(); length > 0;) {
      length -= std::min(length, stride(11));
      fs::resize_file(bundle.path(name), length);
      Names needed;
      bool exactly = true;
      for (const Region& region : regions) {
        // What follows in the same block is the blob's here.
        const std::size_t end = name.ends_with(".tar") ? tar::padded(region.end) : region.end;
        if (end <= length || region.file.empty()) continue;
        if (is_blob(region.file)) needed.merge(bundle.images_of(region.file));
        exactly = exactly && is_blob(region.file);
      }
      judgement.judge(bundle, name + " cut to " + std::to_string(length), exactly ? needed : Names{},
                      exactly);
    }
    write_file(bundle.path(name), bytes);
  }
  CHECK(bundle.report()->findings.empty());
  CHECK(judgement.tried > 400);
  CHECK(judgement.unfound == 0);
  CHECK(judgement.misblamed == 0);
  CHECK(judgement.first == "");
  MESSAGE(std::string(form.name), ": ", judgement.tried, " lengths");
}

}  // namespace

TEST_CASE("a changed bit is found wherever it is, and the images that it touches are named") {
  for (const Form& form : k_forms) {
    SUBCASE(form.name) {
      flip_bits(form);
    }
  }
}

TEST_CASE(
    "a bundle that was cut is found out at every length, and the images that lost something are named") {
  for (const Form& form : k_forms) {
    SUBCASE(form.name) {
      cut(form);
    }
  }
}
