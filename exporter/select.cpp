#include "exporter/select.hpp"

#include <fmt/format.h>

#include <memory>
#include <set>

#include "common/diag/error.hpp"
#include "common/io/file.hpp"
#include "exporter/image_list.hpp"

namespace airgap::exporter {
namespace {

constexpr std::size_t k_max_list = std::size_t{16} << 20;  // bytes: half a million names

image::Reference parse_name(const std::string& text, const std::string& place) {
  try {
    return image::Reference::parse(text).with_default_tag();
  } catch (const diag::FormatError& error) {
    throw diag::UsageError(place.empty() ? error.message() : place + ": " + error.message(), error.hint());
  }
}

std::string read_list(const std::string& file) {
  try {
    io::File list = file == "-" ? io::File::open_read("/dev/stdin") : io::File::open_read(file);
    std::string text;
    std::vector<std::byte> buffer(io::k_pump_buffer);
    while (const std::size_t count = list.read_some(buffer)) {
      text.append(io::text_of(std::span(buffer).first(count)));
      if (text.size() > k_max_list) throw diag::UsageError(file + " is too large for a list of images");
    }
    return text;
  } catch (const diag::StorageError& error) {
    throw diag::UsageError("cannot read the list: " + error.message(), "check the path given with --from");
  }
}

void choose_platforms(const std::string& text, Selection& selection) {
  selection.default_platform = text.empty();
  const std::string choice = text.empty() ? image::host_platform().str() : text;
  try {
    selection.platforms = image::PlatformFilter::parse(choice);
  } catch (const diag::FormatError& error) {
    throw diag::UsageError(error.message(), "write --platform linux/amd64, linux/amd64,linux/arm64 or all");
  }
  selection.platform_choice = selection.platforms.str();
}

}  // namespace

Selection select(const SelectOptions& options) {
  Selection selection;
  std::set<image::Reference> seen;
  const auto add = [&](const std::string& text, const std::string& place) {
    image::Reference name = parse_name(text, place);
    if (seen.insert(name).second) selection.images.push_back({std::move(name)});
  };
  for (const std::string& image : options.images) add(image, {});
  for (const std::string& file : options.from_files) {
    const std::string shown = file == "-" ? "standard input" : file;
    for (const ListedName& listed : parse_image_list(read_list(file), shown)) add(listed.text, listed.place);
  }
  if (selection.images.empty()) {
    throw diag::UsageError("no images are selected", "name images, or give a list with --from FILE");
  }
  choose_platforms(options.platforms, selection);
  return selection;
}

}  // namespace airgap::exporter
