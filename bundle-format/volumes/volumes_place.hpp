#pragma once

#include <memory>
#include <optional>
#include <string>

#include "bundle-format/archive_place.hpp"
#include "bundle-format/bundle_place.hpp"
#include "bundle-format/volumes/volume_names.hpp"
#include "bundle-format/volumes/volumes_left.hpp"

namespace airgap::bundle {

/// The place of a set, with what lies there, as both the writer and a mere look see it.
struct VolumesPlace {
  /// Throws UsageError where volumes are no whole set and `overwrite` does not say that they may go.
  VolumesPlace(const std::string& path, bool overwrite);

  /// Whole, in the set or in what it replaces.
  bool has(const Blob& blob) const;
  /// The bytes of a manifest, verified.
  std::optional<std::string> manifest(const hash::Digest& digest) const;

  ArchiveName where;
  VolumeNames names;
  VolumesLeft left;
};

/// What open_volume_writer() would find; only looks.
std::unique_ptr<BundlePlace> look_at_volumes(const std::string& path, bool overwrite);

}  // namespace airgap::bundle
