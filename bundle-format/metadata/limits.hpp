#pragma once

#include <cstddef>
#include <cstdint>

// What a bundle from outside may cost. Each is checked before the thing is read into memory or added up.
namespace airgap::bundle {

/// bundle.json in bytes: 10,000 images make 10 MB; memory while it is parsed is a few times its size.
inline constexpr std::size_t k_max_bundle_json = std::size_t{256} * 1024 * 1024;
/// index.json and manifest.json in bytes: both repeat what bundle.json says, so neither is longer.
inline constexpr std::size_t k_max_index_json = k_max_bundle_json;
/// Each check-sum file in bytes: a line for each of k_max_blobs files.
inline constexpr std::size_t k_max_sums = std::size_t{256} * 1024 * 1024;
/// volume.json in bytes: an entry for each of k_max_blobs parts.
inline constexpr std::size_t k_max_volume_json = std::size_t{256} * 1024 * 1024;
/// What stands beside an archive while it is rearranged, in bytes: a line for each of k_max_blobs.
inline constexpr std::size_t k_max_journal = std::size_t{256} * 1024 * 1024;
inline constexpr std::size_t k_max_oci_layout = 4096;                   ///< bytes; it has one short member
inline constexpr std::size_t k_max_signature = std::size_t{64} * 1024;  ///< bytes

/// Values in a metadata file: what k_max_blobs and k_max_images need, and 16 bytes of memory each.
inline constexpr std::size_t k_max_json_values = 16'000'000;
inline constexpr std::size_t k_max_images = 200'000;  ///< twenty times the largest that we measure
inline constexpr std::size_t k_max_blobs = 1'000'000;

/// All manifests of a bundle together, in bytes: from a pipe they are kept in memory.
inline constexpr std::uint64_t k_max_manifest_bytes = std::uint64_t{256} * 1024 * 1024;
/// A blob, or all blobs together, in bytes (1 PiB): beyond any medium, and sums of it never overflow.
inline constexpr std::uint64_t k_max_blob_bytes = std::uint64_t{1} << 50;

/// A sequence number: beyond any stream, and exact in every JSON reader.
inline constexpr std::uint64_t k_max_sequence = 1'000'000'000'000'000;

inline constexpr std::size_t k_max_text =
    4096;  ///< bytes of a text field, such as the list of chosen platforms
inline constexpr std::size_t k_max_platforms = 1000;  ///< of an image; the longest real list has some thirty

}  // namespace airgap::bundle
