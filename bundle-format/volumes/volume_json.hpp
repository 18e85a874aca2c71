#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/hash/digest.hpp"

namespace airgap::bundle {

inline constexpr std::size_t k_max_volumes = 999;
inline constexpr std::size_t k_max_parts = 9999;  ///< of one blob

/// What one volume holds of one blob: all of it, or a piece.
struct Part {
  hash::Digest digest;       ///< of the whole blob
  std::uint64_t offset = 0;  ///< bytes of the blob, as stored, before this part
  std::uint64_t size = 0;    ///< bytes of the part
  std::size_t number = 0;    ///< of a piece, from 1; 0 is the whole blob

  friend bool operator==(const Part&, const Part&) = default;
};

/// The member of the archive: "blobs/sha256/<hex>", and ".part-0001" for a piece.
std::string part_path(const Part& part);

/// volume.json as a value. SPEC.md, "Volumes".
struct VolumeInfo {
  std::string stream;          ///< of the bundle
  std::uint64_t sequence = 1;  ///< of the bundle
  std::size_t number = 1;      ///< from 1
  std::size_t count = 1;       ///< volumes of the set
  std::vector<Part> parts;     ///< in archive order

  std::string str() const;  ///< "volume 2 of 3"
  friend bool operator==(const VolumeInfo&, const VolumeInfo&) = default;
};

std::string write_volume_json(const VolumeInfo& info);
/// The bytes that a part takes in volume.json, without the comma before it.
std::string entry_of(const Part& part);

/// Validates all that can be seen without bundle.json: version, numbers, sizes, limits. Throws UnsafeError.
VolumeInfo parse_volume_json(std::string_view bytes);

}  // namespace airgap::bundle
