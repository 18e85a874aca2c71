#include "exporter/plan/plan_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "bundle-format/commands/image_table.hpp"
#include "common/diag/log.hpp"
#include "common/json/writer.hpp"
#include "common/text/escape.hpp"
#include "common/text/human_size.hpp"

namespace airgap::exporter {
namespace {

constexpr std::uint64_t k_hardly = 20;  ///< less than this part of all is not worth while

/// Named at the start of a run: what fits on a screen.
constexpr std::size_t k_first_images = 20;

void write_medium(json::Writer& writer, const Target& target) {
  const io::Medium& medium = target.medium;
  writer.key("medium").begin_object().member("fileSystem", medium.file_system);
  writer.member("removable", medium.removable).member("readOnly", medium.read_only);
  if (medium.total_bytes) writer.member("totalBytes", *medium.total_bytes);
  if (medium.free_bytes) writer.member("freeBytes", *medium.free_bytes);
  if (medium.largest_file) writer.member("largestFile", *medium.largest_file);
  writer.member("neededBytes", target.needed.least).member("neededBytesAtMost", target.needed.most);
  writer.end_object();
}

std::string as_event(const ExportPlan& plan, std::uint64_t referenced, const std::optional<Target>& target) {
  const bundle::BundleInfo& info = plan.contents.info;
  json::Writer writer(json::Writer::Style::compact);
  writer.begin_object().member("event", "plan").member("images", info.images.size());
  writer.member("blobs", info.blobs.size()).member("bytes", info.stored_bytes());
  writer.member("referencedBytes", referenced).member("keptBytes", plan.kept_bytes);
  writer.member("fetchBlobs", plan.fetch.size()).member("fetchBytes", plan.fetch_bytes - plan.partial_bytes);
  writer.member("partialBytes", plan.partial_bytes);
  if (!plan.since.empty()) {
    writer.member("newImages", plan.new_images).member("requiredBlobs", info.requires_.size());
    writer.member("requiredBytes", info.required_bytes());
    writer.key("registries").begin_array();
    for (const std::string& registry : plan.registries) writer.value(registry);
    writer.end_array();
  }
  if (target && target->archive.most > 0) {
    writer.key("archive").begin_object().member("bytesAtLeast", target->archive.least);
    writer.member("bytesAtMost", target->archive.most).end_object();
  }
  if (target && !target->path.empty()) write_medium(writer, *target);
  if (target && target->volumes > 0)
    writer.member("volumes", target->volumes).member("volumeSize", *target->volume_size);
  writer.end_object();
  return writer.str();
}

std::string range(const Estimate& bytes) {
  const std::string most = text::human_size(bytes.most);
  const std::string least = text::human_size(bytes.least);
  return least == most ? most : least + " to " + most;
}

void print_compression(const ExportPlan& plan, const Target& target, cli::Console& console) {
  const std::uint64_t bytes = plan.contents.info.stored_bytes();
  const std::uint64_t rest = bytes - plan.packed_bytes;
  console.status(fmt::format("the archive takes {}: {} are compressed already, {} may shrink{}",
                             range(target.archive), text::human_size(plan.packed_bytes),
                             text::human_size(rest),
                             rest < bytes / k_hardly ? "; FILE.tar would take hardly more" : ""));
}

void print_images(const std::vector<bundle::Image>& images, cli::Console& console) {
  json::Writer writer(json::Writer::Style::compact);
  writer.begin_object().member("event", "planned").key("images").begin_array();
  for (const bundle::Image& image : images) bundle::write_image(writer, image);
  console.event(writer.end_array().end_object().str());
  for (const std::string& line : bundle::image_table(images, bundle::Targets::shown)) console.result(line);
}

void print_first_images(const std::vector<bundle::Image>& images, cli::Console& console) {
  for (const std::string& line : bundle::image_table(images, bundle::Targets::shown, k_first_images))
    console.status(line);
  if (images.size() > k_first_images)
    console.status(fmt::format("... and {} more (--dry-run lists all)", images.size() - k_first_images));
}

}  // namespace

void print_plan(const ExportPlan& plan, const std::optional<Target>& target, NamedImages named,
                cli::Console& console) {
  if (named == NamedImages::all) {
    print_images(plan.contents.info.images, console);
  } else if (!plan.unchanged && !console.json()) {
    print_first_images(plan.contents.info.images, console);
  }
  const bundle::BundleInfo& info = plan.contents.info;
  std::uint64_t referenced = 0;
  for (const bundle::Image& image : info.images) referenced += image.bytes;
  const std::uint64_t unique = info.stored_bytes() + info.required_bytes();
  const std::string apart =
      referenced > unique ? fmt::format(", each once ({} image by image)", text::human_size(referenced)) : "";
  console.event(as_event(plan, referenced, target));
  console.status(fmt::format("{}, {}: {} in all{}", text::counted(info.images.size(), "image"),
                             text::counted(info.blobs.size() + info.requires_.size(), "blob"),
                             text::human_size(unique), apart));
  if (!plan.since.empty()) {
    console.status(fmt::format(
        "a delta{} since {}: {} of them new or changed; {} in {} left out, for {} has it",
        plan.registries.empty() ? "" : fmt::format(" for {}", fmt::join(plan.registries, " and ")),
        fmt::join(plan.since, " and "), plan.new_images, text::human_size(info.required_bytes()),
        text::counted(info.requires_.size(), "blob"),
        plan.registries.size() > 1 ? "each of them" : "the other side"));
  }
  if (plan.unchanged) {
    console.status("nothing new: the bundle holds all of it already");
  } else {
    console.status(fmt::format(
        "{} to fetch in {}, {} there already", text::human_size(plan.fetch_bytes - plan.partial_bytes),
        text::counted(plan.fetch.size(), "blob"), text::human_size(plan.kept_bytes + plan.partial_bytes)));
  }
  if (target && target->form == bundle::OutputForm::compressed_archive && !plan.unchanged)
    print_compression(plan, *target, console);
  if (target && target->form == bundle::OutputForm::pipe)
    console.status(fmt::format("the stream has {} ({} bytes)", text::human_size(target->archive.most),
                               target->archive.most));
  if (target && target->volumes > 0) {
    console.status(fmt::format("in {} of at most {}", text::counted(target->volumes, "volume"),
                               text::human_size(*target->volume_size)));
  }
  if (target && !target->path.empty()) {
    console.status(fmt::format("{} more on {}: {}", range(target->needed), text::escape(target->path),
                               describe(target->medium)));
    for (const std::string& doubt : doubts(*target)) diag::log("plan", diag::LogLevel::warning, doubt);
  }
}

void print_left(const bundle::LeftFiles& left, const std::string& output) {
  diag::log("plan", diag::LogLevel::warning,
            fmt::format("{}: {} of an unfinished bundle beside {}, which this run does not use; remove {}, "
                        "or go on by the command with --overwrite that began it",
                        files_of(left), text::human_size(left.bytes), text::escape(output),
                        left.files > 1 ? "them" : "it"));
}

}  // namespace airgap::exporter
