#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "bundle-format/metadata/contents.hpp"
#include "common/tar/tar_layout.hpp"

namespace airgap::bundle {

/// A bundle as an archive, before its first byte: every member, in order, and where it lies. A plain value.
struct ArchivePlan {
  std::vector<MetadataFile> metadata;         ///< the first members
  std::vector<Blob> blobs;                    ///< the members after them
  tar::Layout layout;                         ///< places of the metadata, then of the blobs
  std::uint64_t mtime = 0;                    ///< of every member, in seconds since 1970
  std::map<hash::Digest, std::size_t> index;  ///< of a blob in `blobs`

  ArchivePlan(std::vector<MetadataFile> metadata_files, const BundleInfo& info);
  /// Blobs alone, where they were found.
  ArchivePlan(std::vector<Blob> found, std::vector<tar::Place> places);

  const tar::Place& place_of(std::size_t blob) const { return layout.places[metadata.size() + blob]; }
  std::string header_of(std::size_t blob) const;
  std::string header_of(const MetadataFile& file) const;
};

}  // namespace airgap::bundle
