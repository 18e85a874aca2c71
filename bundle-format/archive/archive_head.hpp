#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bundle-format/archive/exact_reader.hpp"
#include "bundle-format/metadata/contents.hpp"
#include "bundle-format/metadata/metadata_check.hpp"
#include "bundle-format/no_bundle.hpp"

namespace airgap::bundle {

/// The first members of an archive: its metadata files, not yet believed.
struct ArchiveHead {
  std::vector<MetadataFile> files;  ///< in archive order
  std::uint64_t mtime = 0;          ///< of every member, in seconds since 1970
  /// The bytes of volume.json, where the archive is a volume. They stand after `files`, which do not list it.
  std::optional<std::string> volume{};

  FoundMetadata by_name() const;
};

/// Reads them from the front of an archive. They come in one order and within their caps, and each header and
/// all padding is just what the writer writes: IntegrityError otherwise, io::EndsEarly where they are cut.
/// UsageError when this is no bundle at all.
///
/// Not with a library: a lenient reader takes many archives for the same list of files, and a cut one for a
/// shorter list, while of a bundle every byte around the files is known beforehand (SPEC.md, "Archive").
/// `front`, where it is not null, takes the files before the damage when that is thrown.
ArchiveHead read_archive_head(ExactReader& archive, From from = From::file,
                              std::vector<MetadataFile>* front = nullptr);

}  // namespace airgap::bundle
