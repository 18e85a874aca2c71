#include "exporter/plan/target.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "common/diag/error.hpp"
#include "common/hash/hasher.hpp"

using namespace airgap;
using bundle::OutputForm;
using exporter::ExportPlan;
using exporter::Target;

namespace {

constexpr std::uint64_t k_gib = std::uint64_t{1} << 30;

/// Layers of these sizes, none of them there yet.
ExportPlan plan_of(const std::vector<std::uint64_t>& sizes) {
  ExportPlan plan;
  bundle::BundleInfo& info = plan.contents.info;
  info.stream = "00112233445566778899aabbccddeeff";
  info.creator = "airgap-export test";
  info.created = "2026-01-02T03:04:05Z";
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const bundle::Blob blob{hash::sha256_of(std::to_string(i)), sizes[i], bundle::BlobKind::layer, sizes[i]};
    info.blobs.push_back(blob);
    plan.fetch_bytes += sizes[i];
  }
  std::ranges::sort(info.blobs, {}, &bundle::Blob::digest);
  plan.fetch = info.blobs;
  return plan;
}

io::Medium medium(const std::string& file_system, std::uint64_t free) {
  io::Medium result;
  result.file_system = file_system;
  result.total_bytes = 64 * k_gib;
  result.free_bytes = free;
  if (result.is_fat()) result.largest_file = io::k_largest_fat_file;
  return result;
}

/// Message and hint of the refusal; empty when the plan can be carried out.
std::string refusal(const ExportPlan& plan, OutputForm form, const io::Medium& on, bool replaces = false) {
  try {
    check_target(plan, exporter::with_needs(
                           {.path = "stick", .form = form, .medium = on, .replaces = replaces}, plan));
    return {};
  } catch (const diag::StorageError& error) {
    return error.message() + " / " + error.hint();
  }
}

bool says(const std::string& text, std::string_view part) {
  CAPTURE(text);
  CAPTURE(part);
  return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("a file that FAT cannot hold is refused with what would make it work") {
  const io::Medium fat = medium("vfat", 60 * k_gib);
  const ExportPlan small = plan_of({3 * k_gib, k_gib / 2});
  const ExportPlan limit = plan_of({io::k_largest_fat_file});
  const ExportPlan large = plan_of({io::k_largest_fat_file + 1});
  const ExportPlan many = plan_of({3 * k_gib, 2 * k_gib});
  CHECK(refusal(small, OutputForm::directory, fat) == "");
  CHECK(refusal(small, OutputForm::archive, fat) == "");
  CHECK(refusal(limit, OutputForm::directory, fat) == "");
  CHECK(refusal(many, OutputForm::directory, fat) == "");
  CHECK(
      says(refusal(large, OutputForm::directory, fat), "vfat at stick takes no file larger than 4 GiB - 1"));
  CHECK(says(refusal(large, OutputForm::directory, fat), large.fetch.front().digest.str()));
  CHECK(says(refusal(limit, OutputForm::archive, fat), "stick is going to have"));
  CHECK(says(refusal(many, OutputForm::archive, fat), "--volume-size fat32"));
  CHECK(refusal(large, OutputForm::directory, medium("exfat", 60 * k_gib)) == "");
  CHECK(refusal(many, OutputForm::archive, medium("exfat", 60 * k_gib)) == "");
}

TEST_CASE("an archive that FAT cannot hold is cut into volumes, unless it is the user who limits files") {
  const ExportPlan many = plan_of({3 * k_gib, 2 * k_gib});
  const auto on = [](const io::Medium& medium, std::optional<std::uint64_t> volume_size = {}) {
    return Target{
        .path = "stick.tar", .form = OutputForm::archive, .volume_size = volume_size, .medium = medium};
  };
  const io::Medium fat = medium("vfat", 60 * k_gib);
  io::Medium limited = medium("ext4", 60 * k_gib);
  limited.largest_file = k_gib;
  limited.limited_by_user = true;
  CHECK(must_be_cut(with_needs(on(fat), many)));
  // FAT would take it, and fsck.vfat would cut it to nothing.
  CHECK(must_be_cut(with_needs(on(fat), plan_of({io::k_repairable_fat_file - 1000}))));
  CHECK_FALSE(must_be_cut(with_needs(on(fat), plan_of({3 * k_gib}))));
  CHECK_FALSE(must_be_cut(with_needs(on(medium("exfat", 60 * k_gib)), many)));
  CHECK_FALSE(must_be_cut(with_needs(on(limited), many)));
  const Target cut = with_needs(on(fat, io::k_largest_fat_file), many);
  CHECK(cut.volumes == 2);
  CHECK_FALSE(must_be_cut(cut));
  CHECK_NOTHROW(check_target(many, cut));
  CHECK_THROWS_WITH_AS(check_target(many, with_needs(on(fat, 5 * k_gib), many)),
                       doctest::Contains("volumes of 5368709120 bytes"), diag::StorageError);
}

TEST_CASE("a file that a repair of FAT would cut to nothing is warned of") {
  const auto lines = [](std::uint64_t blob, OutputForm form, std::optional<std::uint64_t> volume_size = {}) {
    const ExportPlan plan = plan_of({blob, 2 * k_gib});
    return doubts(with_needs(
        {.path = "stick", .form = form, .volume_size = volume_size, .medium = medium("vfat", 60 * k_gib)},
        plan));
  };
  CHECK(lines(io::k_repairable_fat_file, OutputForm::directory).empty());
  const auto warned = lines(io::k_repairable_fat_file + 1, OutputForm::directory);
  REQUIRE(warned.size() == 1);
  CHECK(says(warned.front(), "a file of up to 4294901761 bytes is written to stick, and fsck.vfat takes"));
  CHECK(lines(k_gib, OutputForm::archive, io::k_largest_fat_file).empty());
  CHECK(lines(4 * k_gib, OutputForm::archive, io::k_largest_fat_file).size() == 1);
  CHECK(lines(4 * k_gib, OutputForm::archive, io::k_repairable_fat_file).empty());
}

TEST_CASE("a limit of the user's is named as that") {
  io::Medium limited = medium("ext4", 60 * k_gib);
  limited.largest_file = 1'000'000;
  limited.limited_by_user = true;
  CHECK(says(refusal(plan_of({1'000'001}), OutputForm::directory, limited),
             "raise the limit with 'ulimit -f'"));
  limited.largest_file = 5'000'000;
  CHECK(says(refusal(plan_of({6'000'000}), OutputForm::archive, limited),
             "--output FILE.tar --volume-size 5000000 cuts it to fit, or raise the limit with 'ulimit -f'"));
}

TEST_CASE("more files than the file system takes are refused, and an archive of them is not") {
  io::Medium few = medium("ext4", 60 * k_gib);
  few.free_files = 50;
  const ExportPlan many = plan_of(std::vector<std::uint64_t>(50, 1));
  CHECK(says(refusal(many, OutputForm::directory, few), "its file system takes 50 more"));
  CHECK(says(refusal(many, OutputForm::directory, few), "--output FILE.tar"));
  CHECK(refusal(many, OutputForm::archive, few) == "");
  CHECK(refusal(plan_of({1}), OutputForm::directory, few) == "");
}

TEST_CASE("more blobs than a directory of FAT holds are refused, and an archive of them is not") {
  const ExportPlan most = plan_of(std::vector<std::uint64_t>(10'922, 1));
  const ExportPlan more = plan_of(std::vector<std::uint64_t>(10'923, 1));
  const io::Medium fat = medium("vfat", 60 * k_gib);
  CHECK(refusal(most, OutputForm::directory, fat) == "");
  CHECK(says(refusal(more, OutputForm::directory, fat), "10923 blobs"));
  CHECK(says(refusal(more, OutputForm::directory, fat), "--output FILE.tar"));
  CHECK(refusal(more, OutputForm::archive, fat) == "");
  CHECK(refusal(more, OutputForm::directory, medium("exfat", 60 * k_gib)) == "");
}

TEST_CASE("too little space is refused, counted in what files occupy") {
  ExportPlan plan = plan_of({100, 100, 100});
  io::Medium small = medium("exfat", 8 * 131'072);
  CHECK(refusal(plan, OutputForm::directory, small) == "");
  small.block = 131'072;
  // Three blobs and five files of metadata.
  CHECK(refusal(plan, OutputForm::directory, small) == "");
  plan.new_manifests = plan_of({1}).fetch;
  CHECK(says(refusal(plan, OutputForm::directory, small),
             "1.1 MiB more are needed at stick, and 1.0 MiB are free"));
  small.free_bytes = std::nullopt;  // nobody knows
  CHECK(refusal(plan, OutputForm::directory, small) == "");
}

TEST_CASE("what is there needs no room, but for an archive that is replaced") {
  ExportPlan plan = plan_of({1'000'000});
  plan.fetch.clear();
  plan.fetch_bytes = 0;
  plan.kept_bytes = 1'000'000;
  const io::Medium full = medium("ext4", 100'000);
  CHECK(refusal(plan, OutputForm::archive, full) == "");
  CHECK(says(refusal(plan, OutputForm::archive, full, true), "more are needed"));
  plan.unchanged = true;
  CHECK(refusal(plan, OutputForm::archive, full, true) == "");
}

TEST_CASE("what an unfinished archive takes up already is not needed once more") {
  ExportPlan plan = plan_of({k_gib, k_gib});
  plan.partial_bytes = k_gib / 4;
  const auto with_occupied = [&](std::uint64_t bytes) {
    return with_needs(
        {.path = "stick.tar",
         .form = OutputForm::archive,
         .medium = medium("exfat", k_gib / 2),
         .occupied = [=](const bundle::Contents&, std::uint64_t length) { return std::min(bytes, length); }},
        plan);
  };
  CHECK_NOTHROW(check_target(plan, with_occupied(8 * k_gib / 5)));
  CHECK(with_occupied(100 * k_gib).needed.most == 0);
  CHECK_THROWS_WITH_AS(check_target(plan, with_occupied(k_gib)), doctest::Contains("1.0 GiB more are needed"),
                       diag::StorageError);
  // A file system that does not count what files take up.
  CHECK(with_occupied(0).needed.least == with_occupied(0).archive.least - plan.partial_bytes);
}

TEST_CASE("two sizes that look alike are told apart by their bytes") {
  const ExportPlan plan = plan_of({5'000'000});
  const std::uint64_t length =
      with_needs({.path = "stick", .form = OutputForm::archive, .medium = {}}, plan).archive.most;
  const std::string text = refusal(plan, OutputForm::archive, medium("ext4", length - 1));
  CHECK(says(text, std::to_string(length) + " bytes) more are needed at stick, and "));
  CHECK(says(text, std::to_string(length - 1) + " bytes) are free"));
}

TEST_CASE("an archive that replaces another wants room for both, and the hint says which one can go") {
  ExportPlan plan = plan_of({2 * k_gib});
  const Target target = with_needs(
      {.path = "stick.tar", .form = OutputForm::archive, .medium = medium("ext4", k_gib), .replaces = true},
      plan);
  try {
    check_target(plan, target);
    FAIL("there is too little space");
  } catch (const diag::StorageError& error) {
    CHECK(says(error.hint(), "remove stick.tar first (what is replaced stays until the new one is whole)"));
  }
}

TEST_CASE("a compressed archive is refused where it cannot fit, and doubted where it may not") {
  ExportPlan plan = plan_of({3 * k_gib, 2 * k_gib});
  plan.packed_bytes = plan.packed_fetch_bytes = 2 * k_gib;
  const auto on = [&](const io::Medium& medium) {
    return with_needs({.path = "stick.tar.zst", .form = OutputForm::compressed_archive, .medium = medium},
                      plan);
  };
  const Target roomy = on(medium("ext4", 6 * k_gib));
  CHECK(roomy.archive.least == 2 * k_gib);
  CHECK(roomy.archive.most > 5 * k_gib);
  CHECK(roomy.archive.most < 5 * k_gib + k_gib / 1000);
  CHECK(doubts(roomy).empty());
  struct Row {
    io::Medium medium;
    std::string_view refusal;
    std::string_view doubt;
  };
  for (const Row& row : {Row{medium("ext4", k_gib), "at least 2.0 GiB more are needed at stick.tar.zst", ""},
                         Row{medium("ext4", 4 * k_gib), "", "may need 5.0 GiB more, and 4.0 GiB are free"},
                         Row{medium("vfat", 60 * k_gib), "", "vfat takes no file larger than 4 GiB - 1"}}) {
    CAPTURE(row.refusal);
    CAPTURE(row.doubt);
    std::string refused;
    try {
      check_target(plan, on(row.medium));
    } catch (const diag::StorageError& error) {
      refused = error.message();
    }
    CHECK(row.refusal.empty() == refused.empty());
    CHECK(says(refused, row.refusal));
    const auto lines = doubts(on(row.medium));
    CHECK(lines.size() == (row.doubt.empty() ? 0U : 1U));
    if (!lines.empty()) CHECK(says(lines.front(), row.doubt));
  }
  plan.packed_bytes = plan.packed_fetch_bytes = 5 * k_gib;
  CHECK_THROWS_WITH_AS(check_target(plan, on(medium("vfat", 60 * k_gib))),
                       doctest::Contains("stick.tar.zst is going to have at least 5.0 GiB"),
                       diag::StorageError);
  const Target again = with_needs({.path = "stick.tar.zst",
                                   .form = OutputForm::compressed_archive,
                                   .medium = medium("ext4", 6 * k_gib),
                                   .replaces = true},
                                  plan);
  CHECK(again.needed.most == again.archive.most);
}

TEST_CASE("what is copied out of a compressed archive of another plan needs room as well") {
  ExportPlan plan = plan_of({2 * k_gib, 3 * k_gib});
  plan.packed_bytes = 5 * k_gib;
  plan.kept_bytes = 3 * k_gib;
  plan.packed_fetch_bytes = 2 * k_gib;
  const auto with_free = [&](std::uint64_t free) {
    return with_needs({.path = "stick.tar.zst",
                       .form = OutputForm::compressed_archive,
                       .medium = medium("ext4", free),
                       .doubled = 3 * k_gib},
                      plan);
  };
  CHECK_NOTHROW(check_target(plan, with_free(6 * k_gib)));
  CHECK(doubts(with_free(6 * k_gib)).empty());
  CHECK_THROWS_WITH_AS(
      check_target(plan, with_free(4 * k_gib)),
      doctest::Contains("at least 5.0 GiB more are needed at stick.tar.zst, 3.0 GiB of that to copy out of"),
      diag::StorageError);
}

TEST_CASE("what lies there twice while it is taken over is doubted where it may not fit, not refused") {
  const ExportPlan plan = plan_of({2 * k_gib});
  const auto with_free = [&](std::uint64_t free) {
    return with_needs({.path = "stick.tar",
                       .form = OutputForm::archive,
                       .volume_size = k_gib,
                       .medium = medium("ext4", free),
                       .doubled = k_gib},
                      plan);
  };
  CHECK(doubts(with_free(4 * k_gib)).empty());
  CHECK_NOTHROW(check_target(plan, with_free(5 * k_gib / 2)));
  REQUIRE(doubts(with_free(5 * k_gib / 2)).size() == 1);
  CHECK(says(doubts(with_free(5 * k_gib / 2)).front(), "stick.tar may need 3.0 GiB more"));
  CHECK_THROWS_WITH_AS(check_target(plan, with_free(k_gib)), doctest::Contains("2.0 GiB more are needed"),
                       diag::StorageError);
}

TEST_CASE("what was begun in another form is named, and where there is too little space as what can go") {
  const ExportPlan plan = plan_of({2 * k_gib});
  struct Row {
    std::optional<std::uint64_t> volume_size;
    bundle::OtherForm unused;
    std::string_view doubt;
    std::string_view hint;
  };
  for (const Row& row :
       {Row{k_gib,
            {{"stick.tar.partial", 1, k_gib}, "in one file"},
            "stick.tar.partial: 1.0 GiB of an unfinished archive in one file, which this run does not use",
            "remove stick.tar.partial (1.0 GiB that are not used), free some space"},
        Row{std::nullopt,
            {{"stick.001.tar.partial", 3, k_gib}, "in volumes"},
            "stick.001.tar.partial and 2 more: 1.0 GiB of an unfinished archive in volumes, which",
            "remove stick.001.tar.partial and 2 more (1.0 GiB that are not used), free"}}) {
    const Target target = with_needs({.path = "stick.tar",
                                      .form = OutputForm::archive,
                                      .volume_size = row.volume_size,
                                      .medium = medium("ext4", k_gib),
                                      .unused = row.unused},
                                     plan);
    REQUIRE(doubts(target).size() == 1);
    CHECK(says(doubts(target).front(), row.doubt));
    try {
      check_target(plan, target);
      FAIL("there is too little space");
    } catch (const diag::StorageError& error) {
      CHECK(says(error.hint(), row.hint));
    }
  }
}

TEST_CASE("a medium that is read-only is refused") {
  io::Medium disc = medium("iso9660", 0);
  disc.read_only = true;
  CHECK(says(refusal(plan_of({1}), OutputForm::directory, disc), "read-only"));
}

TEST_CASE("a medium is described in one line") {
  io::Medium stick = medium("vfat", 32 * k_gib);
  stick.removable = true;
  CHECK(exporter::describe(stick) == "vfat, removable, 32.0 GiB of 64.0 GiB free, files up to 4 GiB - 1");
  CHECK(exporter::describe({}) == "unknown file system");
}
