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

/// A compressed archive of an earlier run; all of it empty where there is none.
struct EarlierTar {
  std::shared_ptr<const TarBytes> tar;
  std::optional<BundleInfo> info;
  std::optional<ArchivePlan> plan;
  std::size_t blobs = 0;  ///< that are whole, from the front
  // Of an unfinished one:
  std::optional<BegunBlob> next{};  ///< the front of the blob after those
  FramesThere there{};              ///< up to the end of all that

  bool has(const Blob& blob) const;
  std::uint64_t partial_bytes(const Blob& blob) const;                    ///< of next
  std::optional<std::string> manifest(const hash::Digest& digest) const;  ///< its bytes, verified
  /// From a byte of the blob on; null when it does not have it.
  std::unique_ptr<io::Source> open(const Blob& blob, std::uint64_t offset) const;
  std::uint64_t bytes_of(const Blob& blob) const;  ///< from the front, all of it when it has it
  /// Those bytes from `offset` on.
  std::unique_ptr<io::Source> open_front(const Blob& blob, std::uint64_t offset) const;
  /// How much of the file of an unfinished one they take together.
  std::uint64_t stored_bytes_of(const std::vector<Blob>& some) const;
};

/// Nothing, zeros, or the first frame of an archive, whole or cut by a crash: ours to write over. Anything
/// else is somebody's.
bool is_unfinished_tar(const std::shared_ptr<const io::File>& file);

/// What is whole in the file of an unfinished one, all of which is read and verified: in a stream of frames
/// nothing says what is on stable storage. Empty where its head is not whole. Throws Interrupted.
EarlierTar unfinished_tar(const std::shared_ptr<const io::File>& file, const std::stop_token& stop);

/// The one that has its final name; empty where that is no whole bundle.
EarlierTar finished_tar(const io::Directory& directory, const std::string& name);

}  // namespace airgap::bundle::compressed
