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
#include "common/diag/exit_code.hpp"
#include "common/tar/tar_layout.hpp"
#include "common/zstd/check_table.hpp"
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
std::size_t stride(const Form& form) {
  if (std::getenv("AIRGAP_EVERY_BIT") != nullptr) return 1;
  return form.volume_size ? 31 : 11;
}
std::size_t bits_tried() {
  return std::getenv("AIRGAP_EVERY_BIT") != nullptr ? 8 : 1;
}

/// What lies where in a file of the bundle, and whom it concerns.
struct Region {
  std::size_t end = 0;  ///< the byte after it
  std::string file;     ///< in the bundle; empty for the end of an archive
  bool copied = false;  ///< says of that file what its bytes should be: either may be the one that is damaged
};

constexpr std::string_view k_head = "head";  ///< a file of every image's

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

/// The frames of a compressed archive, then a check of each of them, then the seek table.
std::vector<Region> regions_of_frames(const std::string& path, std::size_t size, const Contents& contents) {
  const ArchivePlan plan(metadata_files(contents), contents.info);
  compressed::FrameCuts cuts(plan);
  std::vector<Region> regions;
  std::size_t at = 0;
  const std::uint64_t head = plan.layout.places[plan.metadata.size() - 1].end();
  for (const zstd::Frame& frame : zstd::read_seek_table(io::File::open_read(path))) {
    regions.push_back({at += frame.stored, ""});
    const auto cut = cuts.next().value();
    if (cut.end <= head) regions.back().file = k_head;
    for (std::size_t i = 0; i < plan.blobs.size(); ++i) {
      const tar::Place& place = plan.place_of(i);  // before its bytes stands its header
      if (place.data == cut.end || (cut.of_blob && place.data <= cut.begin))
        regions.back().file = blob_path(plan.blobs[i].digest);
    }
    cuts.advance();
  }
  const std::vector<Region> frames = regions;
  constexpr std::size_t k_check = 4;  // bytes
  regions.push_back({at += zstd::check_table_size(frames.size()) - k_check * frames.size(), ""});
  for (const Region& frame : frames) regions.push_back({at += k_check, frame.file, true});
  regions.push_back({size, ""});
  return regions;
}

class Bundle {
 public:
  explicit Bundle(const Form& form) : m_form(form) {
    write_all(*open_writer({.path = m_temp.path(form.output), .volume_size = form.volume_size}), m_sample);
    m_files = tree_of(m_temp.path());
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
  bool is_volumes() const { return m_form.volume_size.has_value(); }
  bool is_compressed() const { return std::string_view(m_form.output).ends_with(".zst"); }

 private:
  /// So large that there are volumes which hold nothing of the other image.
  std::string layer(const std::string& text) const {
    std::string bytes;
    for (int i = 0; i < (is_volumes() ? 600 : 1); ++i) bytes += text;
    return bytes;
  }

  const Form& m_form;
  TempDirectory m_temp;
  Sample m_sample = sample({{"example.com/app:1", {"base", layer("only in app ")}},
                            {"example.com/web:2", {"base", layer("only in web ")}}});
  std::map<std::string, std::string> m_files;
};

void overwrite(const std::string& path, std::size_t offset, char byte) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(offset));
  file.put(byte);
}

/// Damage that was not found, or blamed on others than these images.
struct Judgement {
  std::size_t tried = 0;
  std::size_t compared = 0;  ///< where verify named images, or none
  std::size_t unfound = 0;
  std::size_t misblamed = 0;
  std::size_t misnamed = 0;  ///< called something else than damage
  std::string first{};

  void judge(const Bundle& bundle, const std::string& what, const Names& touched) {
    judge(bundle, what, touched, touched);
  }
  /// At least `needed` and at most `possible` are to be named.
  void judge(const Bundle& bundle, const std::string& what, const Names& needed, const Names& possible) {
    ++tried;
    const auto report = bundle.report();
    if (!report) return;
    if (report->findings.empty()) {
      ++unfound;
      if (first.empty()) first = what + " is not found";
      return;
    }
    if (const Finding& worst = gravest(report->findings); worst.kind != diag::ErrorKind::integrity) {
      ++misnamed;
      if (first.empty())
        first = what + " is " + std::string(diag::kind_name(worst.kind)) + ": " + worst.problem;
    }
    if (!report->info) return;  // verify says that all of them are touched
    ++compared;
    const Names damaged(report->damaged.begin(), report->damaged.end());
    if (std::ranges::includes(damaged, needed) && std::ranges::includes(possible, damaged)) return;
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

/// The images that have something among these.
Names images_in(const Bundle& bundle, const std::vector<Region>& regions) {
  Names names;
  for (const Region& region : regions) {
    if (is_blob(region.file) && !region.copied) names.merge(bundle.images_of(region.file));
  }
  return names;
}

void flip_bits(const Form& form) {
  const Bundle bundle(form);
  REQUIRE(bundle.report()->findings.empty());
  Judgement judgement;
  for (const auto& [name, bytes] : bundle.files()) {
    const std::vector<Region> regions = bundle.regions(name);
    auto region = regions.begin();
    for (std::size_t at = 0; at < bytes.size(); at += stride(form)) {
      while (region->end <= at) ++region;
      for (std::size_t bit = 0; bit < bits_tried(); ++bit) {
        const unsigned flip = 1U << ((at + bit) % 8);
        overwrite(bundle.path(name), at, static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ flip));
        const std::string what =
            "bit " + std::to_string((at + bit) % 8) + " of byte " + std::to_string(at) + " of " + name;
        if (region->copied) {
          judgement.judge(bundle, what, {}, bundle.images_of(region->file));
        } else if (is_blob(region->file)) {
          judgement.judge(bundle, what, bundle.images_of(region->file));
        } else if (region->file.empty()) {
          judgement.judge(bundle, what, Names{});
        } else if (region->file == k_volume_sums_file) {
          // Whether one of its lines or the piece that it is about was changed, nobody can tell.
          judgement.judge(bundle, what, {}, images_in(bundle, regions));
        } else if (bundle.is_volumes()) {
          judgement.judge(bundle, what, images_in(bundle, regions));  // the others have their own head
        } else {
          // bundle.json may call an image something else now.
          judgement.judge(bundle, what, bundle.names_of(bundle.report()));
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
  CHECK(judgement.misnamed == 0);
  CHECK(judgement.compared > judgement.tried / 4);
  MESSAGE(std::string(form.name), ": ", judgement.tried, " flips, images compared for ", judgement.compared);
}

void cut(const Form& form) {
  const Bundle bundle(form);
  Judgement judgement;
  for (const auto& [name, bytes] : bundle.files()) {
    const std::vector<Region> regions = bundle.regions(name);
    for (std::size_t length = bytes.size(); length > 0;) {
      length -= std::min(length, stride(form));
      fs::resize_file(bundle.path(name), length);
      // What follows in the same block is the blob's in an archive.
      std::vector<Region> lost;
      std::ranges::copy_if(regions, std::back_inserter(lost), [&](const Region& region) {
        return (name.ends_with(".tar") ? tar::padded(region.end) : region.end) > length;
      });
      const auto no_metadata = [](const Region& region) {
        return region.file.empty() || region.copied || is_blob(region.file);
      };
      // A blob ends with its padding, which stands in the next frame.
      const Names touched = images_in(bundle, lost);
      std::vector<Region> around = lost;
      if (bundle.is_compressed() && lost.size() < regions.size())
        around.push_back(regions[regions.size() - lost.size() - 1]);
      const std::string what = name + " cut to " + std::to_string(length);
      if (bundle.is_volumes() || std::ranges::all_of(lost, no_metadata)) {  // of volumes, the others have it
        judgement.judge(bundle, what, touched, images_in(bundle, around));
      } else {
        judgement.judge(bundle, what, {}, bundle.names_of(bundle.report()));
      }
    }
    write_file(bundle.path(name), bytes);
  }
  CHECK(bundle.report()->findings.empty());
  CHECK(judgement.tried > 400);
  CHECK(judgement.unfound == 0);
  CHECK(judgement.misblamed == 0);
  CHECK(judgement.misnamed == 0);
  CHECK(judgement.first == "");
  CHECK(judgement.compared > judgement.tried / 4);
  MESSAGE(std::string(form.name), ": ", judgement.tried, " lengths, images compared for ",
          judgement.compared);
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
