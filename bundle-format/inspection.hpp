#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bundle-format/metadata/bundle_json.hpp"
#include "bundle-format/metadata/finding.hpp"
#include "common/io/stream.hpp"

namespace airgap::bundle {

/// Opens the bytes of one blob from an offset in bytes to its end, unverified. Thread-safe.
using BlobBytes = std::function<std::unique_ptr<io::Source>(const Blob& blob, std::uint64_t offset)>;

/// A stretch of a blob that has a digest of its own.
struct Piece {
  hash::Digest blob;
  hash::Digest digest;  ///< of these bytes
  std::uint64_t size = 0;
  std::string file;                                   ///< what findings call it
  std::string hint;                                   ///< of findings that have none
  std::function<std::unique_ptr<io::Source>()> open;  ///< its bytes, unverified; thread-safe
};

/// A volume that is not there, or not whole.
struct MissingVolume {
  std::size_t number = 1;
  std::size_t count = 1;                 ///< of the set
  std::string instead = {};              ///< "v.002.tar is there, but its head is damaged"
  std::vector<hash::Digest> blobs = {};  ///< of which it holds something that is not to be had here

  std::string name() const;  ///< "volume 2 of 3"
};

/// A bundle on a medium, looked at without reading its blobs. Nothing in it is to be believed while there are
/// findings.
struct Inspection {
  std::string form;  ///< "directory", "archive", "compressed archive", "volumes" or, one alone, "volume"
  std::optional<BundleInfo> info;      ///< when bundle.json could be read
  std::vector<Finding> findings;       ///< "unfinished" first, then metadata, then files
  std::vector<Blob> readable;          ///< blobs that are where they should be, to be read and hashed
  std::optional<hash::Digest> sums{};  ///< the sha256 of SHA256SUMS, when it could be read
  std::uint64_t files = 0;             ///< metadata files and blobs that are there
  std::uint64_t metadata_bytes = 0;
  BlobBytes blob_bytes;
  /// What findings call the file of a blob; where it is empty, by its path in the bundle.
  std::function<std::string(const Blob& blob)> name_of;
  std::vector<MissingVolume> missing_volumes{};  ///< by number; each has findings
  std::size_t volume_findings = 0;  ///< so many of `findings` are about those, and can be lived with
  std::vector<Piece> loose{};  ///< what is there of blobs that are not whole here, to be read and hashed too
  /// Where a readable blob lies in several volumes: what it consists of. Else nothing.
  std::function<std::vector<Piece>(const hash::Digest& blob)> pieces_of;
  bool unfinished = false;  ///< has a finding, which comes first
  std::string part_of{};    ///< "volume 2 of 3": that alone was looked at, and its parts are `loose`
};

/// What findings about the end of an archive name as their file: no image's, for each blob that is lost with
/// it has a finding of its own.
inline constexpr std::string_view k_archive_end = "end of the archive";

enum class Depth {
  metadata,  ///< the metadata files alone, however many blobs there are
  files,     ///< and that every file is there, in its place and size, and no other is
};

/// Throws UsageError when there is no bundle at `paths`, StorageError when the medium fails. Several paths
/// are those of volumes (volume_set.hpp).
Inspection inspect(const std::vector<std::string>& paths, Depth depth);

Inspection inspect_directory(const std::string& path, Depth depth);
Inspection inspect_archive(const std::string& path, Depth depth);

}  // namespace airgap::bundle
