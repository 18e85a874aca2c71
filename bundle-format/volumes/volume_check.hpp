#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bundle-format/archive/archive_head.hpp"
#include "bundle-format/inspection.hpp"
#include "bundle-format/metadata/finding.hpp"
#include "bundle-format/volumes/volume_layout.hpp"
#include "bundle-format/volumes/volume_sums.hpp"

namespace airgap::bundle {

/// One volume, looked at by itself and without reading its blobs. Nothing in it is to be believed while there
/// are findings.
struct CheckedVolume {
  std::string path;
  std::string name;                    ///< of the file, safe to print
  std::uint64_t length = 0;            ///< of the file, in bytes
  std::optional<ArchiveHead> head;     ///< when it could be read
  std::optional<VolumeLayout> layout;  ///< when volume.json could be read as well
  VolumeSums sums;                     ///< SHA256SUMS.volume; empty when it could not be read
  bool json_as_listed = true;          ///< SHA256SUMS.volume has no other volume.json
  std::vector<Finding> findings;       ///< their files begin with `name`

  void add(std::string_view file, std::string problem, std::string hint = {},
           diag::ErrorKind kind = diag::ErrorKind::integrity);
  bool has_bytes_of(std::size_t part) const;  ///< the file is long enough for it
  /// All that is wrong is that the file ends early: what is there of it can be used.
  bool only_cut() const;
  /// What SHA256SUMS.volume says of it.
  std::optional<hash::Digest> sum_of(const Part& part) const;
  /// That of which it holds at least some.
  std::vector<hash::Digest> blobs() const;
  /// "v.003.tar: end of the archive: it is cut: got 20000 of 131072 bytes"; empty without a finding.
  std::string fault() const;
};

/// Depth::metadata reads the head alone. Otherwise every byte around the blobs is compared with what it must
/// be, and SHA256SUMS.volume with the head and with the names of blobs.
CheckedVolume check_volume(const std::string& path, Depth depth);

}  // namespace airgap::bundle
