#pragma once

#include <memory>
#include <optional>
#include <string>

#include "bundle-format/archive/archive_state.hpp"
#include "bundle-format/bundle_place.hpp"
#include "common/io/directory.hpp"

namespace airgap::bundle {

/// An archive of an earlier run.
struct EarlierArchive {
  std::shared_ptr<const io::File> file;  ///< that `state` speaks of
  std::optional<ArchiveState> state;     ///< nothing where there is none

  BlobState state_of(const Blob& blob) const;
  /// The bytes of a manifest, verified.
  std::optional<std::string> manifest(const hash::Digest& digest) const;
};

/// What lies where an archive is to be written.
struct ArchivesThere {
  EarlierArchive finished;  ///< under its final name
  EarlierArchive begun;     ///< to go on with: beside a finished one, what is to replace it

  const std::optional<BundleInfo>& info() const;             ///< of the finished one, else of the other
  const BundleInfo* replacement() const;                     ///< as BundlePlace::begun()
  std::uint64_t occupied_bytes(std::uint64_t length) const;  ///< as BundlePlace
  BlobState state_of(const Blob& blob) const;                ///< in the one that has more of it
  std::optional<std::string> manifest(const hash::Digest& digest) const;
};

/// Zeros, or the head of an archive, whole or cut by a crash: ours to write over. Anything else is
/// somebody's.
bool is_unfinished_bundle(const io::File& partial);

/// An archive's directory and its name in it.
struct ArchiveName {
  io::Directory directory;
  std::string name;

  explicit ArchiveName(const std::string& path);
  std::string partial() const;  ///< NAME.tar.partial
  std::string journal() const;  ///< NAME.tar.partial.moving: there while it is rearranged
  /// Those of an unfinished archive, when there is one.
  std::optional<LeftFiles> unfinished() const;
};

/// The UsageError for a file of that name in the directory, which is not ours to write over.
[[noreturn]] void refuse_foreign_file(const io::Directory& directory, const std::string& name);

/// Reads what is there: a finished archive and, unless that is to stay, `partial`, which may be null. Throws
/// UsageError for a file that is no whole bundle, unless it is to be overwritten.
ArchivesThere archives_there(const ArchiveName& where, std::shared_ptr<const io::File> partial,
                             bool overwrite);

/// Looks without touching anything. Throws as above.
std::unique_ptr<BundlePlace> look_at_archive(const std::string& path, bool overwrite);

}  // namespace airgap::bundle
