#pragma once

#include <memory>
#include <optional>
#include <string>

#include "bundle-format/archive/archive_state.hpp"
#include "bundle-format/bundle_place.hpp"
#include "common/io/directory.hpp"

namespace airgap::bundle {

/// What lies where an archive is to be written.
struct EarlierArchive {
  std::shared_ptr<const io::File> file;  ///< that `state` speaks of; null when there is nothing to go on from
  std::optional<ArchiveState> state;
  bool finished = false;  ///< `file` has the final name

  const BlobState* state_of(const Blob& blob) const;  ///< null when the archive has no such blob
  /// The bytes of a manifest, verified.
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
};

/// Reads what is there: a finished archive, else (or when it is to be overwritten, before it) `partial`,
/// which may be null. Throws UsageError for a file that is no whole bundle, unless it is to be overwritten.
EarlierArchive earlier_archive(const ArchiveName& where, std::shared_ptr<const io::File> partial,
                               bool overwrite);

/// Looks without touching anything. Throws as above.
std::unique_ptr<BundlePlace> look_at_archive(const std::string& path, bool overwrite);

}  // namespace airgap::bundle
