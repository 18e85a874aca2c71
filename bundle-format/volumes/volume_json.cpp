#include "bundle-format/volumes/volume_json.hpp"

#include <fmt/format.h>

#include "bundle-format/metadata/bundle_json.hpp"
#include "bundle-format/metadata/json_values.hpp"
#include "bundle-format/metadata/layout.hpp"
#include "bundle-format/metadata/limits.hpp"
#include "common/diag/error.hpp"
#include "common/json/reader.hpp"
#include "common/json/writer.hpp"

namespace airgap::bundle {
namespace {

std::uint64_t number_at(const json::Node& node, std::uint64_t least, std::uint64_t most) {
  const std::uint64_t number = node.uint64();
  if (number < least || number > most)
    node.fail(fmt::format("{} is not between {} and {}", number, least, most));
  return number;
}

Part part_at(const json::Node& node) {
  Part part{.digest = digest_at(node.at("digest")), .size = bytes_at(node.at("size"))};
  if (!node.contains("part")) return part;
  part.number = static_cast<std::size_t>(number_at(node.at("part"), 1, k_max_parts));
  part.offset = bytes_at(node.at("offset"));
  if (part.size == 0) node.fail("a piece has at least one byte");
  return part;
}

}  // namespace

std::string part_path(const Part& part) {
  if (part.number == 0) return blob_path(part.digest);
  return fmt::format("{}{}{:04}", blob_path(part.digest), k_part_ending, part.number);
}

std::string VolumeInfo::str() const {
  return fmt::format("volume {} of {}", number, count);
}

std::string entry_of(const Part& part) {
  json::Writer writer(json::Writer::Style::compact);
  writer.begin_object().member("digest", part.digest.str()).member("size", part.size);
  if (part.number != 0) writer.member("part", part.number).member("offset", part.offset);
  return writer.end_object().str();
}

std::string write_volume_json(const VolumeInfo& info) {
  json::Writer writer(json::Writer::Style::compact);
  writer.begin_object().member("format", k_format).member("stream", info.stream);
  writer.member("sequence", info.sequence).member("number", info.number).member("count", info.count);
  writer.key("holds").begin_array();
  for (const Part& part : info.parts) writer.raw(entry_of(part));
  return writer.end_array().end_object().str();
}

VolumeInfo parse_volume_json(std::string_view bytes) {
  const json::Document document = json::Document::parse(
      bytes, {.bytes = k_max_volume_json, .values = k_max_json_values, .free_form = {}});
  const json::Node root = document.root();
  if (const std::uint64_t format = root.at("format").uint64(); format != k_format)
    throw diag::UnsafeError(
        fmt::format("volume.json has format {}, and this program reads {}", format, k_format),
        "use a newer version");
  VolumeInfo info{.stream = stream_at(root.at("stream")),
                  .sequence = sequence_at(root.at("sequence")),
                  .number = 0,
                  .count = static_cast<std::size_t>(number_at(root.at("count"), 1, k_max_volumes)),
                  .parts = {}};
  info.number = static_cast<std::size_t>(number_at(root.at("number"), 1, info.count));
  const auto holds = root.at("holds").elements();
  if (holds.size() > k_max_blobs) root.at("holds").fail("more entries than a bundle may have blobs");
  info.parts.reserve(holds.size());
  constexpr std::uint64_t k_most = k_max_blob_bytes << 10U;  // bytes; no file is that large
  std::uint64_t total = 0;
  for (const json::Node& entry : holds) {
    info.parts.push_back(part_at(entry));
    total += info.parts.back().size;
    if (total > k_most) entry.fail("more bytes than a volume may have");
  }
  return info;
}

}  // namespace airgap::bundle
