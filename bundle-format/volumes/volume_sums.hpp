#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "bundle-format/volumes/volume_json.hpp"

namespace airgap::bundle {

/// SHA256SUMS.volume as a value: the sha256 of every other file of one volume, by name.
using VolumeSums = std::map<std::string, hash::Digest>;

std::string write_volume_sums(const VolumeInfo& info, const VolumeSums& files);
/// The bytes that it will have, before any digest is known. `head` are the names of the metadata files.
std::uint64_t volume_sums_size(const std::vector<std::string>& head, const VolumeInfo& info);
std::uint64_t sums_line_size(const std::string& name);  ///< of one file

/// Takes just what write_volume_sums() writes for these files. Throws FormatError.
VolumeSums parse_volume_sums(std::string_view bytes, const std::vector<std::string>& head,
                             const VolumeInfo& info);

}  // namespace airgap::bundle
