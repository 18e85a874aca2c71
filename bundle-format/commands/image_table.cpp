#include "bundle-format/commands/image_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>

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

void print_images(const std::vector<Image>& images, cli::Console& console, Targets targets) {
  std::size_t width = 4;
  std::size_t platforms_width = targets == Targets::shown ? 9 : 0;
  for (const Image& image : images) {
    width = std::max(width, image.name.str().size());
    if (targets == Targets::shown) platforms_width = std::max(platforms_width, platforms_of(image).size());
  }
  const auto inside = [&](const std::string& text) { return targets == Targets::shown ? "  " + text : ""; };
  console.result(fmt::format("{:{}}  {:19}  {:>9}  {:>9}  {:>9}  {:{}}{}", "NAME", width, "DIGEST", "SIZE",
                             "UNIQUE", "SHARED", "PLATFORMS", platforms_width, inside("INSIDE")));
  for (const Image& image : images) {
    console.result(fmt::format("{:{}}  {}  {:>9}  {:>9}  {:>9}  {:{}}{}", image.name.str(), width,
                               image.digest.brief(), text::human_size(image.bytes),
                               text::human_size(image.unique_bytes),
                               text::human_size(image.bytes - image.unique_bytes), platforms_of(image),
                               platforms_width, inside(image.target)));
  }
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
