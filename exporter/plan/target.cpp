#include "exporter/plan/target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "bundle-format/archive/archive_plan.hpp"
#include "bundle-format/compressed/frame_cuts.hpp"
#include "bundle-format/volumes/volume_plan.hpp"
#include "common/diag/error.hpp"
#include "common/text/escape.hpp"
#include "common/text/human_size.hpp"

namespace airgap::exporter {
namespace {

std::string limit_text(const io::Medium& medium) {
  if (!medium.limited_by_user && medium.is_fat()) return "4 GiB - 1";
  return fmt::format("{} ({} bytes)", text::human_size(*medium.largest_file), *medium.largest_file);
}

/// Who says how large a file may be.
std::string limiter(const io::Medium& medium) {
  return medium.limited_by_user ? "the limit 'ulimit -f'" : text::escape(medium.file_system);
}

std::string limit_hint(const io::Medium& medium) {
  if (!medium.limited_by_user)
    return "--output FILE.tar --volume-size fat32 cuts it to fit, or format the medium as exFAT, or choose "
           "another place";
  // Every volume begins with all of the metadata.
  constexpr std::uint64_t k_sensible_volume = std::uint64_t{1} << 20;
  if (*medium.largest_file < k_sensible_volume) return "raise the limit with 'ulimit -f'";
  return fmt::format("--output FILE.tar --volume-size {} cuts it to fit, or raise the limit with 'ulimit -f'",
                     *medium.largest_file);
}

/// Two sizes that a person is to compare.
std::string size_text(std::uint64_t bytes, std::uint64_t beside) {
  const std::string text = text::human_size(bytes);
  return bytes != beside && text == text::human_size(beside) ? fmt::format("{} ({} bytes)", text, bytes)
                                                             : text;
}

std::uint64_t rounded_up(std::uint64_t bytes, std::uint64_t block) {
  return (bytes + block - 1) / block * block;
}

/// Metadata, directories, and one that is on its way, in a bundle that is a directory.
constexpr std::uint64_t k_other_files = 12;

std::string_view at_least(const Estimate& bytes) {
  return bytes.is_exact() ? "" : "at least ";
}

/// The first image that names the blob.
std::string image_with(const ExportPlan& plan, const hash::Digest& digest) {
  for (std::size_t i = 0; i < plan.blobs_of_images.size(); ++i) {
    if (std::ranges::find(plan.blobs_of_images[i], digest) != plan.blobs_of_images[i].end())
      return plan.contents.info.images[i].name.str();
  }
  return "an image";
}

void check_file_sizes(const ExportPlan& plan, const Target& target) {
  const io::Medium& medium = target.medium;
  if (!medium.largest_file) return;
  if (target.volume_size && *target.volume_size > *medium.largest_file) {
    throw diag::StorageError(
        fmt::format("volumes of {} bytes are asked for, and {} at {} takes no file larger than {}",
                    *target.volume_size, limiter(medium), target.path, limit_text(medium)),
        fmt::format("--volume-size {} is the most that fits", *medium.largest_file));
  }
  if (bundle::is_archive(target.form) || target.form == bundle::OutputForm::pipe) {
    const std::uint64_t size = target.archive.least;
    if (target.volume_size || size <= *medium.largest_file) return;
    throw diag::StorageError(
        fmt::format("{} is going to have {}{} ({} bytes), and {} takes no file larger than {}", target.path,
                    at_least(target.archive), text::human_size(size), size, limiter(medium),
                    limit_text(medium)),
        limit_hint(medium));
  }
  const auto largest = std::ranges::max_element(plan.fetch, {}, &bundle::Blob::stored_size);
  if (largest == plan.fetch.end() || largest->stored_size <= *medium.largest_file) return;
  throw diag::StorageError(
      fmt::format("{} of {} has {} ({} bytes), and {} at {} takes no file larger than {}",
                  largest->digest.str(), image_with(plan, largest->digest),
                  text::human_size(largest->stored_size), largest->stored_size, limiter(medium), target.path,
                  limit_text(medium)),
      limit_hint(medium));
}

void check_file_count(const ExportPlan& plan, const Target& target) {
  if (target.form != bundle::OutputForm::directory) return;
  std::map<hash::Algorithm, std::uint64_t> files;
  for (const bundle::Blob& blob : plan.contents.info.blobs) ++files[blob.digest.algorithm()];
  for (const auto& [algorithm, count] : files) {
    const auto most = target.medium.files_in_directory(2 * hash::digest_size(algorithm));  // hex digits
    if (!most || count <= *most) continue;
    throw diag::StorageError(
        fmt::format("the bundle has {} blobs, and a directory on {} at {} holds {} of them", count,
                    text::escape(target.medium.file_system), target.path, *most),
        "write an archive: --output FILE.tar");
  }
  const std::uint64_t all = plan.fetch.size() + plan.new_manifests.size() + k_other_files;
  if (target.medium.free_files && all > *target.medium.free_files) {
    throw diag::StorageError(
        fmt::format("{} files are to be written at {}, and its file system takes {} more", all, target.path,
                    *target.medium.free_files),
        "write an archive: --output FILE.tar");
  }
}

std::string space_hint(const Target& target) {
  std::string hint;
  if (target.unused)
    hint = fmt::format("remove {} ({} that are not used), ", files_of(*target.unused),
                       text::human_size(target.unused->bytes));
  if (target.replaces)
    hint += fmt::format("remove {} first (what is replaced stays until the new one is whole), ", target.path);
  hint += "free some space, choose another place, or carry fewer images";
  if (target.volumes > 1)
    hint +=
        "; all volumes are written to one place: for media that are smaller, part the list, and pull each "
        "part with --since the ones before it";
  return hint;
}

/// Of a compressed archive of another plan all that is wanted is copied, and stays where it is until then.
std::string copies_among(const Target& target) {
  if (target.form != bundle::OutputForm::compressed_archive || target.doubled == 0) return {};
  return fmt::format(", {} of that to copy out of what was begun with another plan",
                     text::human_size(target.doubled));
}

void check_space(const Target& target) {
  if (!target.medium.free_bytes) return;
  const std::uint64_t needed = target.needed.least;
  const std::uint64_t free = *target.medium.free_bytes;
  if (needed <= free) return;
  throw diag::StorageError(
      fmt::format("{}{} more are needed at {}{}, and {} are free", at_least(target.needed),
                  size_text(needed, free), target.path, copies_among(target), size_text(free, needed)),
      space_hint(target));
}

void lay_out_volumes(Target& target, const ExportPlan& plan) {
  auto metadata = bundle::metadata_files(plan.contents);
  const auto volumes =
      bundle::plan_volumes(std::move(metadata), plan.contents.info, *target.volume_size).volumes;
  std::uint64_t bytes = 0;
  for (const bundle::VolumeLayout& volume : volumes) bytes += volume.length();
  target.archive = {bytes, bytes};
  target.volumes = volumes.size();
}

void lay_out(Target& target, const ExportPlan& plan) {
  const bundle::ArchivePlan archive(bundle::metadata_files(plan.contents), plan.contents.info);
  target.archive = {archive.layout.end, archive.layout.end};
  if (target.form == bundle::OutputForm::compressed_archive)
    target.archive = {plan.packed_bytes, bundle::compressed::bytes_at_most(archive)};
}

Estimate needed_for_archive(const Target& target, const ExportPlan& plan) {
  const std::uint64_t length = target.archive.most;
  const std::uint64_t occupied = target.occupied ? target.occupied(plan.contents, length) : 0;
  const bool compressed = target.form == bundle::OutputForm::compressed_archive;
  if (target.replaces) {  // what both archives hold is in both for a while
    const auto rest = [&](std::uint64_t bytes) { return bytes - std::min(occupied, bytes); };
    return {.least = rest(target.archive.least), .most = rest(length) + (compressed ? 0 : target.doubled)};
  }
  const std::uint64_t there = std::min(plan.kept_bytes + plan.partial_bytes, length);
  if (compressed)
    return {.least = plan.packed_fetch_bytes + target.doubled, .most = length - there + target.doubled};
  const std::uint64_t rest = length - std::max(there, occupied);
  return {.least = rest, .most = target.doubled > 0 ? length - there + target.doubled : rest};
}

std::uint64_t largest_file(const Target& target, const ExportPlan& plan) {
  if (target.volume_size) return std::min(*target.volume_size, target.archive.most);
  if (bundle::is_archive(target.form)) return target.archive.most;
  std::uint64_t largest = 0;
  for (const bundle::Blob& blob : plan.fetch) largest = std::max(largest, blob.stored_size);
  return largest;
}

/// Files of their own, each rounded up to what it occupies. Earlier metadata stays while the new is written.
std::uint64_t needed_for_files(const Target& target, const ExportPlan& plan) {
  std::uint64_t bytes = 0;
  const auto add = [&](std::uint64_t size) { bytes += rounded_up(size, target.medium.block); };
  for (const bundle::Blob& blob : plan.fetch) add(blob.stored_size);
  for (const bundle::Blob& blob : plan.new_manifests) add(blob.stored_size);
  if (target.form == bundle::OutputForm::directory) {
    for (const bundle::MetadataFile& file : bundle::metadata_files(plan.contents)) add(file.bytes.size());
  }
  return bytes - std::min(plan.partial_bytes, bytes);
}

}  // namespace

std::string files_of(const bundle::LeftFiles& left) {
  const std::string first = text::escape(left.first);
  return left.files == 1 ? first : fmt::format("{} and {} more", first, left.files - 1);
}

bool must_be_cut(const Target& target) {
  const io::Medium& medium = target.medium;
  return target.form == bundle::OutputForm::archive && !target.volume_size && medium.is_fat() &&
         !medium.limited_by_user && target.archive.most > io::k_repairable_fat_file;
}

std::string describe(const io::Medium& medium) {
  std::string text = medium.file_system.empty() ? "unknown file system" : text::escape(medium.file_system);
  if (medium.removable) text += ", removable";
  if (medium.read_only) text += ", read-only";
  if (medium.free_bytes && medium.total_bytes) {
    text += fmt::format(", {} of {} free", text::human_size(*medium.free_bytes),
                        text::human_size(*medium.total_bytes));
  }
  if (medium.largest_file) text += ", files up to " + limit_text(medium);
  return text;
}

Target with_needs(Target target, const ExportPlan& plan) {
  if (plan.unchanged) target.volumes = target.volumes_there;
  if (plan.unchanged && target.volumes > 0) return target;
  if (target.volume_size) lay_out_volumes(target, plan);
  if (plan.unchanged) return target;
  if (bundle::is_archive(target.form) || target.form == bundle::OutputForm::pipe) {
    if (!target.volume_size) lay_out(target, plan);
    target.needed = needed_for_archive(target, plan);
  } else {
    const std::uint64_t bytes = needed_for_files(target, plan);
    target.needed = {bytes, bytes};
  }
  target.largest = largest_file(target, plan);
  return target;
}

void check_target(const ExportPlan& plan, const Target& target) {
  if (plan.unchanged) return;
  if (target.medium.read_only) {
    throw diag::StorageError(fmt::format("{} lies on a file system that is mounted read-only", target.path),
                             "mount it for writing; a write error may have made it read-only, and a card or "
                             "stick has a switch");
  }
  check_file_sizes(plan, target);
  check_file_count(plan, target);
  check_space(target);
}

std::vector<std::string> doubts(const Target& target) {
  const io::Medium& medium = target.medium;
  std::vector<std::string> lines;
  if (medium.free_bytes && target.needed.least <= *medium.free_bytes &&
      target.needed.most > *medium.free_bytes) {
    lines.push_back(fmt::format(
        "{} may need {} more, and {} are free: where that is too little the run ends with status 7, and goes "
        "on when there is more",
        target.path, size_text(target.needed.most, *medium.free_bytes),
        size_text(*medium.free_bytes, target.needed.most)));
  }
  if (medium.largest_file && !target.archive.is_exact() && target.archive.least <= *medium.largest_file &&
      target.archive.most > *medium.largest_file) {
    lines.push_back(fmt::format(
        "{} may get {}, and {} takes no file larger than {}: where it does not shrink to that the "
        "run ends with status 7; {}",
        target.path, text::human_size(target.archive.most), limiter(medium), limit_text(medium),
        limit_hint(medium)));
  }
  if (medium.is_fat() && target.largest > io::k_repairable_fat_file &&
      target.largest <= io::k_largest_fat_file) {
    lines.push_back(
        fmt::format("a file of up to {} bytes is written to {}, and fsck.vfat takes what is larger than 4 "
                    "GiB - 64 KiB for empty "
                    "and cuts it to nothing: --output FILE.tar --volume-size fat32 writes smaller ones",
                    target.largest, target.path));
  }
  if (target.unused) {
    lines.push_back(fmt::format(
        "{}: {} of an unfinished archive {}, which this run does not use; remove it, or go on with it by the "
        "command that began it",
        files_of(*target.unused), text::human_size(target.unused->bytes), target.unused->form));
  }
  return lines;
}

}  // namespace airgap::exporter
