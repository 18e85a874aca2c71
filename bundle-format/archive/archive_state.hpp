#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bundle-format/archive/archive_plan.hpp"
#include "bundle-format/archive/tar_bytes.hpp"
#include "common/io/file.hpp"

namespace airgap::bundle {

/// How far one blob of an unfinished archive came.
struct BlobState {
  bool whole = false;  ///< its header is there, which is only written when the bytes are on stable storage
  std::uint64_t bytes = 0;  ///< from the front, that may be there; a reader hashes them again unless whole
};

/// What an earlier run left of an archive.
struct ArchiveState {
  std::optional<BundleInfo> info;  ///< nothing when it was broken off while it was rearranged
  ArchivePlan plan;
  std::vector<BlobState> blobs;  ///< beside plan.blobs
};

/// What stands in an unfinished archive of `length` bytes where a member belongs that is this blob, or a
/// piece of it.
BlobState member_state(const io::File& archive, std::uint64_t length, const tar::Place& place,
                       const std::string& header, const hash::Digest& digest);

/// What the head of an archive says.
struct EarlierHead {
  BundleInfo info;
  ArchivePlan plan;
};

/// Nothing unless the head is whole: its files are those that SHA256SUMS lists, and bundle.json is one.
std::optional<EarlierHead> read_earlier_head(io::Source& front);

/// Nothing unless the head is whole. The rest is taken as it is found.
std::optional<ArchiveState> read_archive_state(const std::shared_ptr<const io::File>& archive);

/// The bytes of a manifest in an archive of that plan, when they are those of the digest.
std::optional<std::string> archived_manifest(const TarBytes& archive, const ArchivePlan& plan,
                                             const hash::Digest& digest);

inline constexpr std::string_view k_partial_marker = "airgap-partial ";  ///< how such a block begins

/// The block that stands where a blob's header belongs while only `bytes` of the blob are there. SPEC.md,
/// "Unfinished bundles".
std::string progress_marker(const hash::Digest& digest, std::uint64_t bytes);
/// The bytes that such a block states for this very blob; 0 for any other block.
std::uint64_t parse_progress_marker(std::string_view block, const hash::Digest& digest);

}  // namespace airgap::bundle
