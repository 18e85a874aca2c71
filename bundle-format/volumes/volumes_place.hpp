#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "bundle-format/archive/archive_place.hpp"
#include "bundle-format/bundle_place.hpp"
#include "bundle-format/volumes/volume_names.hpp"
#include "bundle-format/volumes/volumes_left.hpp"

namespace airgap::bundle {

/// The place of a set, with what lies there, as both the writer and a mere look see it.
struct VolumesPlace {
  /// `volume_size` in bytes. Throws UsageError where files lie there that are not of the set that is begun or
  /// finished, or volumes larger than asked for, and `overwrite` does not say that they may go.
  VolumesPlace(const std::string& path, std::uint64_t volume_size, bool overwrite);

  /// bundle.json of a finished set, else of an unfinished one, else of the last that it was to replace.
  const std::optional<BundleInfo>& info() const;
  /// Whole, in one of those that are there.
  bool has(const Blob& blob) const;
  /// From the front, that one of them holds.
  std::uint64_t partial_bytes(const Blob& blob) const;
  /// Whether what is there, unfinished, is written on by that plan as it lies.
  bool goes_on_as(const VolumePlan& plan) const;
  /// As BundlePlace says: begun(), doubled_bytes(), occupied_bytes(), left_beside().
  const BundleInfo* replacement() const;
  std::uint64_t doubled_bytes(const Contents& wanted) const;
  std::uint64_t occupied_bytes(std::uint64_t length) const;
  std::optional<LeftFiles> unfinished() const;
  /// The bytes of a manifest, verified.
  std::optional<std::string> manifest(const hash::Digest& digest) const;

  std::uint64_t volume_size;  ///< in bytes
  ArchiveName where;
  VolumeNames names;
  VolumesLeft left;
  bool fits = true;  ///< no finished volume is larger than asked for, and none are to be joined

 private:
  bool makes_fewer() const;  ///< volumes of a finished set, by the size that is asked for
  void refuse_to_replace_others() const;
  std::uint64_t unfinished_bytes(const Blob& blob) const;
};

/// What open_volume_writer() would find; only looks.
std::unique_ptr<BundlePlace> look_at_volumes(const std::string& path, std::uint64_t volume_size,
                                             bool overwrite);

}  // namespace airgap::bundle
