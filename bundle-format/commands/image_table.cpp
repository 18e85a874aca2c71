#include "bundle-format/commands/image_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>

#include "common/text/human_size.hpp"

namespace airgap::bundle {
namespace {

std::string platforms_of(const Image& image) {
  std::vector<std::string> names;
  for (const image::Platform& platform : image.platforms) names.push_back(platform.str());
  std::string list = names.empty() ? "-" : fmt::format("{}", fmt::join(names, ","));
  if (image.source_digest == image.digest) return list;
  return fmt::format("{} (chosen from {})", list, image.source_digest.brief());
}

}  // namespace

std::vector<std::string> image_table(const std::vector<Image>& images, Targets targets, std::size_t most) {
  const auto shown = std::span(images).first(std::min(images.size(), most));
  std::size_t width = 4;
  std::size_t platforms_width = targets == Targets::shown ? 9 : 0;
  for (const Image& image : shown) {
    width = std::max(width, image.name.str().size());
    if (targets == Targets::shown) platforms_width = std::max(platforms_width, platforms_of(image).size());
  }
  const auto inside = [&](const std::string& text) { return targets == Targets::shown ? "  " + text : ""; };
  std::vector<std::string> lines{fmt::format("{:{}}  {:19}  {:>9}  {:>9}  {:>9}  {:{}}{}", "NAME", width,
                                             "DIGEST", "SIZE", "UNIQUE", "SHARED", "PLATFORMS",
                                             platforms_width, inside("INSIDE"))};
  for (const Image& image : shown) {
    lines.push_back(fmt::format("{:{}}  {}  {:>9}  {:>9}  {:>9}  {:{}}{}", image.name.str(), width,
                                image.digest.brief(), text::human_size(image.bytes),
                                text::human_size(image.unique_bytes),
                                text::human_size(image.bytes - image.unique_bytes), platforms_of(image),
                                platforms_width, inside(image.target)));
  }
  return lines;
}

void write_image(json::Writer& writer, const Image& image) {
  writer.begin_object().member("name", image.name.str()).member("digest", image.digest.str());
  if (image.source_digest != image.digest) writer.member("sourceDigest", image.source_digest.str());
  writer.member("mediaType", image.media_type).key("platforms").begin_array();
  for (const image::Platform& platform : image.platforms) writer.value(platform.str());
  writer.end_array().member("bytes", image.bytes).member("uniqueBytes", image.unique_bytes);
  writer.member("sharedBytes", image.bytes - image.unique_bytes).member("target", image.target);
  if (image.subject) writer.member("subject", image.subject->str());
  writer.end_object();
}

}  // namespace airgap::bundle
