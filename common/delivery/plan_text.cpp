#include "common/delivery/plan_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/json/writer.hpp"
#include "common/text/human_size.hpp"

namespace airgap::delivery {
namespace {

std::string as_event(const Plan& plan, std::uint64_t moving, std::uint64_t replaced) {
  json::Writer writer(json::Writer::Style::compact);
  writer.begin_object().member("event", "plan").member("images", plan.placements.size());
  writer.member("uploadBytes", plan.upload_bytes - plan.kept_bytes).member("mountBytes", plan.mount_bytes);
  writer.member("presentBytes", plan.there_bytes + plan.kept_bytes).member("keptBytes", plan.kept_bytes);
  writer.member("blobs", plan.blobs.size());
  writer.member("manifests", plan.manifests.size()).member("tags", moving).member("replacedTags", replaced);
  writer.member("missingBlobs", plan.missing.size());
  writer.end_object();
  return writer.str();
}

std::string as_event(const Plan& plan, const std::vector<ImageBytes>& bytes) {
  json::Writer writer(json::Writer::Style::compact);
  writer.begin_object().member("event", "planned").key("images").begin_array();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const Placement& image = plan.placements[i];
    writer.begin_object().member("name", image.name.str()).member("digest", image.digest.str());
    writer.member("target", image.target.str()).member("bytes", image.bytes);
    writer.member("uploadBytes", bytes[i].upload).member("mountBytes", bytes[i].mount);
    writer.member("presentBytes", bytes[i].present).end_object();
  }
  return writer.end_array().end_object().str();
}

void print_images(const Plan& plan, cli::Console& console) {
  const std::vector<ImageBytes> bytes = plan.bytes_by_image();
  console.event(as_event(plan, bytes));
  std::size_t width = 4;
  for (const Placement& image : plan.placements) width = std::max(width, image.name.str().size());
  constexpr auto k_line = "{:{}}  {:19}  {:>9}  {:>9}  {:>9}  {:>9}  {}";
  console.result(fmt::format(k_line, "NAME", width, "DIGEST", "SIZE", "SEND", "MOUNT", "THERE", "TARGET"));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const Placement& image = plan.placements[i];
    console.result(fmt::format(k_line, image.name.str(), width, image.digest.brief(),
                               text::human_size(image.bytes), text::human_size(bytes[i].upload),
                               text::human_size(bytes[i].mount), text::human_size(bytes[i].present),
                               image.target.str()));
  }
}

void print_steps(const Plan& plan, cli::Console& console) {
  for (const BlobStep& step : plan.blobs) {
    for (const registry::Repository& to : step.missing) {
      const bool upload = step.upload() && &to == &step.missing.front();
      const registry::Repository& from = step.from ? *step.from : step.missing.front();
      console.result(upload
                         ? fmt::format("upload {} ({}) to {}: the registry lacks it",
                                       step.blob.digest.brief(), text::human_size(step.blob.size), to.str())
                         : fmt::format("mount {} ({}) into {}: {} has it", step.blob.digest.brief(),
                                       text::human_size(step.blob.size), to.str(), from.path));
    }
  }
  for (const ManifestStep& step : plan.manifests) {
    console.result(fmt::format("put manifest {} into {}", step.document.descriptor.digest.brief(),
                               step.repository.str()));
  }
  for (const ReferrersStep& step : plan.referrers) {
    console.result(fmt::format("{} the list of referrers of {} in {}", step.exists ? "extend" : "make",
                               step.subject.brief(), step.repository.str()));
  }
  for (const TagStep& step : plan.tags) {
    if (step.unchanged()) continue;
    console.result(step.before ? fmt::format("move tag {} from {} to {}", step.target.str(),
                                             step.before->brief(), step.digest.brief())
                               : fmt::format("new tag {} for {}", step.target.str(), step.digest.brief()));
  }
}

/// "3 images", and in a table of them that its columns may add up to more.
std::string counted_images(const Plan& plan, bool in_table) {
  const std::string count = text::counted(plan.placements.size(), "image");
  ImageBytes sum;
  for (const ImageBytes& image : plan.bytes_by_image()) {
    sum.upload += image.upload;
    sum.mount += image.mount;
    sum.present += image.present;
  }
  const bool shared = sum.upload != plan.upload_bytes - plan.kept_bytes || sum.mount != plan.mount_bytes ||
                      sum.present != plan.there_bytes + plan.kept_bytes;
  return in_table && shared ? count + ", what they share in a repository counted once" : count;
}

std::string there_already(const Plan& plan) {
  std::string text = text::human_size(plan.there_bytes + plan.kept_bytes) + " there already";
  if (plan.kept_bytes != 0)
    text += fmt::format(" ({} of it by uploads that were broken off)", text::human_size(plan.kept_bytes));
  return text;
}

}  // namespace

void print_plan(const Plan& plan, cli::Console& console, bool steps) {
  std::uint64_t moving = 0;
  std::uint64_t replaced = 0;
  for (const TagStep& step : plan.tags) {
    if (step.unchanged()) continue;
    ++moving;
    if (step.before) ++replaced;
  }
  console.event(as_event(plan, moving, replaced));
  if (steps) {
    print_images(plan, console);
    print_steps(plan, console);
  }
  if (plan.placements.empty()) return;  // what was left out was told
  if (plan.nothing_to_do()) {
    console.status(fmt::format("{}: the registry has all of it already",
                               text::counted(plan.placements.size(), "image")));
    return;
  }
  console.status(
      fmt::format("{}: {} to send, {} to mount, {}; {} to set, {} of them moved", counted_images(plan, steps),
                  text::human_size(plan.upload_bytes - plan.kept_bytes), text::human_size(plan.mount_bytes),
                  there_already(plan), text::counted(moving, "tag"), replaced));
}

}  // namespace airgap::delivery
