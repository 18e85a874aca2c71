#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "bundle-format/archive/archive_place.hpp"
#include "bundle-format/archive/ordered_archive.hpp"
#include "bundle-format/archive/tar_bytes.hpp"
#include "bundle-format/compressed/framed_sink.hpp"

namespace airgap::bundle::compressed {

/// What an earlier run left where a compressed archive is to be written.
struct EarlierTar {
  std::shared_ptr<const TarBytes> tar;  ///< null when there is nothing to go on from
  std::optional<BundleInfo> info;
  std::optional<ArchivePlan> plan;
  bool finished = false;  ///< it has the final name
  std::size_t blobs = 0;  ///< that are whole, from the front
  // Of an unfinished one:
  std::optional<BegunBlob> next{};  ///< the front of the blob after those
  FramesThere there{};              ///< up to the end of all that

  bool has(const Blob& blob) const;
  std::uint64_t partial_bytes(const Blob& blob) const;                    ///< of next
  std::optional<std::string> manifest(const hash::Digest& digest) const;  ///< its bytes, verified
  std::unique_ptr<io::Source> open(const Blob& blob) const;               ///< null when it does not have it
  std::uint64_t bytes_of(const Blob& blob) const;  ///< from the front, all of it when it has it
  /// Those bytes from `offset` on.
  std::unique_ptr<io::Source> open_front(const Blob& blob, std::uint64_t offset) const;
  /// How much of the file of an unfinished one they take together.
  std::uint64_t stored_bytes_of(const std::vector<Blob>& some) const;
};

/// What is whole in the file of an unfinished one; nothing where its head is not. Throws Interrupted.
std::optional<EarlierTar> unfinished_tar(const std::shared_ptr<const io::File>& file,
                                         const std::stop_token& stop);

/// Reads what is there: a finished archive, else (or when it is to be overwritten, before it) `partial`,
/// which may be null. All of an unfinished one is read and verified: in a stream of frames nothing says what
/// is on stable storage. Throws UsageError for a file that is no whole bundle, unless it is
/// to be overwritten, and Interrupted.
EarlierTar earlier_tar(const ArchiveName& where, const std::shared_ptr<const io::File>& partial,
                       bool overwrite, const std::stop_token& stop);

}  // namespace airgap::bundle::compressed
