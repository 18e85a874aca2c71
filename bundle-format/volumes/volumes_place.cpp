#include "bundle-format/volumes/volumes_place.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/diag/error.hpp"

namespace airgap::bundle {

VolumesPlace::VolumesPlace(const std::string& path, bool overwrite)
    : where(path), names(where.name), left(volumes_left(where.directory, names)) {
  if (!left.unreadable) return;
  if (!overwrite)
    throw diag::UsageError(fmt::format("volumes of {} are there already, and are no whole bundle",
                                       where.directory.path_of(where.name)),
                           "see what 'verify' says about them; choose another name, or --overwrite");
  left.current = {};
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
  LookedAtVolumes(const std::string& path, bool overwrite) : m_place(path, overwrite) {}

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

std::unique_ptr<BundlePlace> look_at_volumes(const std::string& path, bool overwrite) {
  return std::make_unique<LookedAtVolumes>(path, overwrite);
}

}  // namespace airgap::bundle
