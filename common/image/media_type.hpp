#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace airgap::image {

inline constexpr std::string_view k_oci_manifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view k_oci_index = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view k_docker_manifest = "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view k_docker_list = "application/vnd.docker.distribution.manifest.list.v2+json";
/// What ORAS wrote before OCI 1.1: a manifest with `blobs` and no config.
inline constexpr std::string_view k_artifact_manifest = "application/vnd.oci.artifact.manifest.v1+json";
inline constexpr std::string_view k_oci_config = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view k_docker_config = "application/vnd.docker.container.image.v1+json";
inline constexpr std::string_view k_oci_empty = "application/vnd.oci.empty.v1+json";
inline constexpr std::string_view k_oci_empty_bytes = "{}";  ///< of that type

/// The Accept header of manifest requests. It names all that we carry, so that no registry converts; schema 1
/// is not in it, so that none answers with that while it has something else.
inline constexpr std::string_view k_manifest_accept =
    "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json, "
    "application/vnd.oci.artifact.manifest.v1+json";

enum class ManifestKind { image, index };

/// What documents of that type are; nullopt for a type that is not known, whose bytes are carried as they
/// are.
std::optional<ManifestKind> manifest_kind(std::string_view media_type) noexcept;
bool is_schema1(std::string_view media_type) noexcept;
/// A layer that may live elsewhere than in its registry (docker "foreign", OCI "nondistributable").
bool is_foreign_layer(std::string_view media_type) noexcept;
bool is_filesystem_layer(std::string_view media_type) noexcept;  ///< a tar of any compression, foreign or not
/// What its type calls compressed, a layer or anything else.
bool is_compressed(std::string_view media_type) noexcept;
bool is_image_config(std::string_view media_type) noexcept;  ///< of something that runs

/// A Content-Type without parameters, in lower case.
std::string bare_media_type(std::string_view content_type);
/// "type/subtype" of printable ASCII, as it may stand in a header.
bool is_valid_media_type(std::string_view media_type) noexcept;

}  // namespace airgap::image
