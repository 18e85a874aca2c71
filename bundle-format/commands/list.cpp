#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bundle-format/bundle_reader.hpp"
#include "bundle-format/commands/check_outputs.hpp"
#include "bundle-format/commands/commands.hpp"
#include "bundle-format/commands/image_table.hpp"
#include "bundle-format/commands/requirement.hpp"
#include "bundle-format/volumes/volume_set.hpp"
#include "bundle-format/volumes/volumes_near.hpp"
#include "common/diag/log.hpp"
#include "common/json/writer.hpp"
#include "common/text/human_size.hpp"
#include "common/text/listed.hpp"

namespace airgap::bundle {
namespace {

std::string volumes_line(const VolumeSet& set) {
  const auto missing = set.missing();
  const std::string count = text::counted(set.count, "volume");
  if (missing.empty()) return fmt::format("{}, all of them here", count);
  std::string line = fmt::format("{}, of which {} {} not here", count, text::ranges(missing),
                                 missing.size() == 1 ? "is" : "are");
  for (const std::size_t number : missing) {
    if (const auto damaged = set.damaged_file(number)) line += "; " + unreadable_head(*damaged);
  }
  return line;
}

std::string as_json(const BundleInfo& info, const std::optional<VolumeSet>& set) {
  json::Writer writer(json::Writer::Style::compact);
  writer.begin_object().member("event", "list");
  if (!info.stream.empty()) {
    writer.member("stream", info.stream).member("sequence", info.sequence);
    writer.member("created", info.created).member("creator", info.creator);
  }
  writer.key("images").begin_array();
  for (const Image& image : info.images) write_image(writer, image);
  writer.end_array().member("blobs", info.blobs.size()).member("bytes", info.stored_bytes());
  writer.member("requiredBlobs", info.requires_.size()).member("requiredBytes", info.required_bytes());
  if (set) {
    writer.member("volumes", set->count).key("missingVolumes").begin_array();
    for (const std::size_t number : set->missing()) writer.value(number);
    writer.end_array();
  }
  writer.end_object();
  return writer.str();
}

void print_table(const BundleInfo& info, cli::Console& console) {
  for (const std::string& line : image_table(info.images, Targets::hidden)) console.result(line);
  std::uint64_t referenced = 0;
  for (const Image& image : info.images) referenced += image.bytes;
  const std::string made = info.stream.empty()
                               ? "skopeo's directories"
                               : fmt::format("made by {} at {}, stream {} sequence {}", info.creator,
                                             info.created, info.stream, info.sequence);
  console.result(fmt::format("{}, {}, {} stored for {} of content; {}",
                             text::counted(info.images.size(), "image"),
                             text::counted(info.blobs.size(), "blob"), text::human_size(info.stored_bytes()),
                             text::human_size(referenced), made));
  if (!info.requires_.empty()) console.result(requirement(info));
}

}  // namespace

void add_list(cli::App& app) {
  cli::Command& command = app.command("list", "Show what is in a bundle, without reading its blobs");
  const auto bundles = std::make_shared<std::vector<std::string>>();
  command.positionals(
      "BUNDLE", *bundles, 1,
      "a directory, an archive, volumes or folders that hold them, or a tree that skopeo sync wrote");
  command.example("airgap-import list /media/usb/bundle.tar", "names, digests, sizes, platforms");
  command.example("airgap-import list /media/disc1/bundle.001.tar", "one volume says what all of them hold");
  command.example("airgap-import list bundle/ --json", "the same for a program");
  command.runs([bundles](cli::Context& context) {
    check_outputs(context, *bundles);
    const BundleInfo info = read_info(*bundles);
    const auto set = find_volumes(*bundles);
    context.console.event(as_json(info, set));
    print_table(info, context.console);
    if (set) context.console.result(volumes_line(*set));
    if (const auto note = set ? set->about_unfinished() : std::nullopt)
      diag::log("bundle", diag::LogLevel::warning, *note);
    return 0;
  });
}

}  // namespace airgap::bundle
