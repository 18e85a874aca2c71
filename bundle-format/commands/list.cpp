#include <fmt/format.h>

#include <memory>
#include <string>

#include "bundle-format/bundle_reader.hpp"
#include "bundle-format/commands/commands.hpp"
#include "bundle-format/commands/image_table.hpp"
#include "bundle-format/commands/requirement.hpp"
#include "common/json/writer.hpp"
#include "common/text/human_size.hpp"

namespace airgap::bundle {
namespace {

std::string as_json(const BundleInfo& info) {
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
  writer.end_object();
  return writer.str();
}

void print_table(const BundleInfo& info, cli::Console& console) {
  print_images(info.images, console);
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
  const auto bundle = std::make_shared<std::string>();
  command.positional("BUNDLE", *bundle, "a directory, an archive, or a tree that skopeo sync wrote");
  command.example("airgap-import list /media/usb/bundle.tar", "names, digests, sizes, platforms");
  command.example("airgap-import list bundle/ --json", "the same for a program");
  command.runs([bundle](cli::Context& context) {
    const BundleInfo info = read_info(*bundle);
    context.console.event(as_json(info));
    print_table(info, context.console);
    return 0;
  });
}

}  // namespace airgap::bundle
