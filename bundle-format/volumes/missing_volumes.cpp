#include "bundle-format/volumes/missing_volumes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "common/text/escape.hpp"
#include "common/text/listed.hpp"

namespace airgap::bundle {
namespace {

constexpr std::size_t k_longest = 4096;  ///< of the paths that were named

std::string described(const std::string& where, const std::vector<MissingVolume>& volumes) {
  std::vector<std::string> parts;
  std::vector<std::size_t> absent;
  for (const MissingVolume& volume : volumes) {
    if (volume.instead.empty()) {
      absent.push_back(volume.number);
    } else {
      parts.push_back(fmt::format("{}: {}", volume.name(), volume.instead));
    }
  }
  if (!absent.empty()) {
    const bool one = absent.size() == 1;
    parts.insert(parts.begin(), fmt::format("volume{} {} of {} {} missing", one ? "" : "s",
                                            text::ranges(absent), volumes.front().count, one ? "is" : "are"));
  }
  return fmt::format("{}: {}", text::escape(where, k_longest), fmt::join(parts, "; "));
}

/// Empty where nothing is lost: a volume that is cut in its last bytes.
std::string touching(const std::vector<MissingVolume>& volumes, const std::vector<std::string>& images) {
  if (images.empty()) return {};
  return fmt::format("; without {} these images are not whole: {}", volumes.size() == 1 ? "it" : "them",
                     text::listed(images));
}

std::string hint_for(const std::vector<MissingVolume>& volumes) {
  if (std::ranges::any_of(volumes, [](const MissingVolume& volume) { return volume.instead.empty(); }))
    return "put them beside the others, or name the folders that they are in, too";
  return volumes.size() == 1 ? "copy this volume again" : "copy these volumes again";
}

}  // namespace

MissingVolumes::MissingVolumes(const std::string& where, const std::vector<MissingVolume>& volumes,
                               const std::vector<std::string>& images)
    : KindError(described(where, volumes) + touching(volumes, images), hint_for(volumes)),
      m_volumes(described(where, volumes)) {}

Finding finding_of(const MissingVolume& volume) {
  const bool absent = volume.instead.empty();
  return {.file = volume.name(),
          .problem = absent ? "it is missing" : volume.instead,
          .images = {},
          .hint = absent ? "put it beside the others, or name the folder that it is in, too"
                         : "copy this volume again",
          .blobs = volume.blobs};
}

}  // namespace airgap::bundle
