#include "exporter/plan/target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "bundle-format/archive/archive_plan.hpp"
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
  if (target.archive_bytes != 0) {
    const std::uint64_t size = target.archive_bytes;
    if (target.volume_size || size <= *medium.largest_file) return;
    throw diag::StorageError(
        fmt::format("{} is going to have {} ({} bytes), and {} takes no file larger than {}", target.path,
                    text::human_size(size), size, limiter(medium), limit_text(medium)),
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

void check_space(const Target& target) {
  if (!target.medium.free_bytes) return;
  if (target.needed_bytes <= *target.medium.free_bytes) return;
  throw diag::StorageError(
      fmt::format("{} more are needed at {}, and {} are free", text::human_size(target.needed_bytes),
                  target.path, text::human_size(*target.medium.free_bytes)),
      "free some space, choose another place, or carry fewer images");
}

void lay_out(Target& target, const bundle::Contents& contents) {
  auto metadata = bundle::metadata_files(contents);
  if (!target.volume_size) {
    target.archive_bytes = bundle::ArchivePlan(std::move(metadata), contents.info).layout.end;
    return;
  }
  const auto volumes = bundle::plan_volumes(std::move(metadata), contents.info, *target.volume_size).volumes;
  for (const bundle::VolumeLayout& volume : volumes) target.archive_bytes += volume.length();
  target.volumes = volumes.size();
}

}  // namespace

bool must_be_cut(const Target& target) {
  const io::Medium& medium = target.medium;
  return target.form == bundle::OutputForm::archive && !target.volume_size && medium.largest_file &&
         !medium.limited_by_user && target.archive_bytes > *medium.largest_file;
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
  if (plan.unchanged) return target;
  const bundle::BundleInfo& info = plan.contents.info;
  const std::uint64_t there = plan.kept_bytes + plan.partial_bytes;
  if (bundle::is_archive(target.form)) {
    lay_out(target, plan.contents);
    // How far compression goes nobody knows before: what it cannot do without is asked for.
    if (target.form == bundle::OutputForm::compressed_archive)
      target.archive_bytes -= std::min(plan.plain_layer_bytes, target.archive_bytes);
    // What both archives hold is in both for a while.
    target.needed_bytes =
        target.archive_bytes - (target.replaces ? 0 : std::min(there, target.archive_bytes));
    return target;
  }
  // A first run writes all the files, a later one perhaps some manifests besides what it fetches.
  std::uint64_t bytes = 0;
  for (const bundle::Blob& blob : plan.kept_bytes == 0 ? info.blobs : plan.fetch)
    bytes += rounded_up(blob.stored_size, target.medium.block);
  target.needed_bytes = bytes - std::min(plan.partial_bytes, bytes);
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

}  // namespace airgap::exporter
