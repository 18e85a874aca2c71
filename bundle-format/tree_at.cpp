#include "bundle-format/tree_at.hpp"

#include <fmt/format.h>

#include "bundle-format/volumes/volumes_near.hpp"
#include "common/diag/error.hpp"
#include "common/text/escape.hpp"

namespace airgap::bundle {

std::optional<skopeo_tree::TreeInspection> tree_at(const std::vector<std::string>& paths) {
  if (paths.size() != 1) return std::nullopt;
  const std::string& path = paths.front();
  auto tree = skopeo_tree::inspect_tree(path);
  if (!tree) return std::nullopt;
  const VolumesNear near = volumes_near(path);
  if (near.volumes.empty()) return tree;
  const std::string volume = text::escape(near.volumes.front().path);
  const std::string folder = text::escape(path + "/" + tree->survey.folders.front().path);
  throw diag::UsageError(
      fmt::format("{} holds volumes of a bundle and folders with images: {} and {}", text::escape(path),
                  volume, folder),
      fmt::format("name the one that is meant: {} stands for the volumes beside it", volume));
}

}  // namespace airgap::bundle
