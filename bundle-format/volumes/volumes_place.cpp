#include "bundle-format/volumes/volumes_place.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/diag/error.hpp"
#include "common/text/human_size.hpp"

namespace airgap::bundle {

VolumesPlace::VolumesPlace(const std::string& path, std::uint64_t volume_size, bool overwrite)
    : where(path), names(where.name), left(volumes_left(where.directory, names, overwrite)) {
  std::uint64_t largest = 0;
  if (left.finished) {
    for (const auto& [number, volume] : left.current.volumes) largest = std::max(largest, volume.length);
  }
  fits = largest <= volume_size;
  if (overwrite) return;
  refuse_to_replace_others();
  if (!fits)
    throw diag::UsageError(fmt::format("the volumes of {} are there already, of up to {} ({} bytes), and "
                                       "at most {} bytes are asked for",
                                       path, text::human_size(largest), largest, volume_size),
                           "--overwrite cuts them anew from what they hold; or choose another name");
}

void VolumesPlace::refuse_to_replace_others() const {
  if (!left.strange.empty())
    throw diag::UsageError(fmt::format("{} is there already and is no unfinished volume",
                                       where.directory.path_of(left.strange.front())),
                           "move it away, choose another name, or --overwrite");
  if (left.others.empty()) return;
  const bool begun = left.current.info || !left.replaced.empty();
  throw diag::UsageError(
      fmt::format("volumes of {} are there already, {} among them, {}", where.directory.path_of(where.name),
                  left.others.front(),
                  begun ? "and are not of the bundle that was begun" : "and are no whole bundle"),
      "see what 'verify' says about them; choose another name, or --overwrite");
}

bool VolumesPlace::has(const Blob& blob) const {
  return left.current.has(blob) || std::ranges::any_of(left.replaced, [&](const auto& generation) {
           return generation.second.has(blob);
         });
}

std::optional<std::string> VolumesPlace::manifest(const hash::Digest& digest) const {
  if (auto bytes = left.current.manifest(where.directory, digest)) return bytes;
  for (const auto& [generation, set] : left.replaced) {
    if (auto bytes = set.manifest(where.directory, digest)) return bytes;
  }
  return std::nullopt;
}

namespace {

class LookedAtVolumes final : public BundlePlace {
 public:
  LookedAtVolumes(const std::string& path, std::uint64_t volume_size, bool overwrite)
      : m_place(path, volume_size, overwrite) {}

  const std::optional<BundleInfo>& existing() const override { return m_place.left.current.info; }
  bool finished() const override { return m_place.left.finished; }
  std::optional<std::string> existing_manifest(const hash::Digest& digest) const override {
    return m_place.manifest(digest);
  }
  bool has_blob(const Blob& blob) const override { return m_place.has(blob); }
  std::uint64_t partial_bytes(const Blob& blob) const override {
    return m_place.left.current.partial_bytes(blob);
  }

 private:
  VolumesPlace m_place;
};

}  // namespace

std::unique_ptr<BundlePlace> look_at_volumes(const std::string& path, std::uint64_t volume_size,
                                             bool overwrite) {
  return std::make_unique<LookedAtVolumes>(path, volume_size, overwrite);
}

}  // namespace airgap::bundle
