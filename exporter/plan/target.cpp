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
  return medium.limited_by_user ? "raise the limit with 'ulimit -f'"
                                : "--output FILE.tar --volume-size fat32 cuts it to fit, or format the "
                                  "medium as exFAT, or choose another place";
}

std::uint64_t rounded_up(std::uint64_t bytes, std::uint64_t block) {
  return (bytes + block - 1) / block * block;
}

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
  if (bundle::is_archive(target.form)) {
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
}

std::string files_of(const bundle::OtherForm& other) {
  return other.files == 1 ? other.first : fmt::format("{} and {} more", other.first, other.files - 1);
}

void check_space(const Target& target) {
  if (!target.medium.free_bytes) return;
  if (target.needed.least <= *target.medium.free_bytes) return;
  throw diag::StorageError(
      fmt::format("{}{} more are needed at {}, and {} are free", at_least(target.needed),
                  text::human_size(target.needed.least), target.path,
                  text::human_size(*target.medium.free_bytes)),
      (target.unused ? fmt::format("remove {} ({} that are not used), ", files_of(*target.unused),
                                   text::human_size(target.unused->bytes))
                     : "") +
          "free some space, choose another place, or carry fewer images");
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

/// What both archives hold is in both for a while.
Estimate needed_for_archive(const Target& target, const ExportPlan& plan) {
  if (target.replaces) return target.archive;
  const std::uint64_t there = plan.kept_bytes + plan.partial_bytes;
  const std::uint64_t rest = target.archive.most - std::min(there, target.archive.most);
  const bool compressed = target.form == bundle::OutputForm::compressed_archive;
  return {.least = compressed ? plan.packed_fetch_bytes : rest, .most = rest + target.doubled};
}

}  // namespace

bool must_be_cut(const Target& target) {
  const io::Medium& medium = target.medium;
  return target.form == bundle::OutputForm::archive && !target.volume_size && medium.largest_file &&
         !medium.limited_by_user && target.archive.most > *medium.largest_file;
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
  if (target.volume_size) lay_out_volumes(target, plan);
  if (plan.unchanged) return target;
  const bundle::BundleInfo& info = plan.contents.info;
  if (bundle::is_archive(target.form)) {
    if (!target.volume_size) lay_out(target, plan);
    target.needed = needed_for_archive(target, plan);
    return target;
  }
  // A first run writes all the files, a later one perhaps some manifests besides what it fetches.
  std::uint64_t bytes = 0;
  for (const bundle::Blob& blob : plan.kept_bytes == 0 ? info.blobs : plan.fetch)
    bytes += rounded_up(blob.stored_size, target.medium.block);
  bytes -= std::min(plan.partial_bytes, bytes);
  target.needed = {bytes, bytes};
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
        target.path, text::human_size(target.needed.most), text::human_size(*medium.free_bytes)));
  }
  if (medium.largest_file && !target.archive.is_exact() && target.archive.least <= *medium.largest_file &&
      target.archive.most > *medium.largest_file) {
    lines.push_back(fmt::format(
        "{} may get {}, and {} takes no file larger than {}: where it does not shrink to that the "
        "run ends with status 7; {}",
        target.path, text::human_size(target.archive.most), limiter(medium), limit_text(medium),
        limit_hint(medium)));
  }
  if (target.unused) {
    lines.push_back(fmt::format(
        "{}: {} of an unfinished archive {}, which this run does not use; remove it, or go on with it by the "
        "command that began it",
        files_of(*target.unused), text::human_size(target.unused->bytes),
        target.volume_size ? "in one file" : "in volumes"));
  }
  return lines;
}

}  // namespace airgap::exporter
