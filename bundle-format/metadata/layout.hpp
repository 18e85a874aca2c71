#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/hash/digest.hpp"

// Every name inside a bundle. SPEC.md, "Files".
namespace airgap::bundle {

inline constexpr std::string_view k_oci_layout_file = "oci-layout";
inline constexpr std::string_view k_index_file = "index.json";
inline constexpr std::string_view k_bundle_file = "bundle.json";
inline constexpr std::string_view k_docker_file = "manifest.json";
inline constexpr std::string_view k_sha512_file = "SHA512SUMS";
inline constexpr std::string_view k_sha256_file = "SHA256SUMS";
/// Reserved for the signature over SHA256SUMS, which it stands after; this version does not look into it.
inline constexpr std::string_view k_signature_file = "SHA256SUMS.sig";
inline constexpr std::string_view k_blobs_directory = "blobs";
inline constexpr std::string_view k_partial_directory = ".partial";  ///< in a directory that is unfinished
inline constexpr std::string_view k_partial_ending = ".partial";     ///< of an archive that is unfinished
inline constexpr std::string_view k_archive_ending = ".tar";
inline constexpr std::string_view k_compressed_ending = ".tar.zst";
// Of volumes alone.
inline constexpr std::string_view k_volume_file = "volume.json";
inline constexpr std::string_view k_volume_sums_file = "SHA256SUMS.volume";
inline constexpr std::string_view k_part_ending = ".part-";               ///< of a piece, then four digits
inline constexpr std::string_view k_volumes_ending = ".volumes.partial";  ///< the lock of who writes a set

/// "blobs/sha256/<hex>"
std::string blob_path(const hash::Digest& digest);
/// The digest of a path that blob_path() gives; nothing for any other text.
std::optional<hash::Digest> digest_of_path(std::string_view path);

/// The largest size in bytes of a metadata file; nothing for any other name.
std::optional<std::size_t> metadata_cap(std::string_view name);

/// What operating systems drop on sticks by themselves, at the top or in any folder (R118).
bool is_system_dropping(std::string_view name);

}  // namespace airgap::bundle
