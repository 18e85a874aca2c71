#include "common/image/media_type.hpp"

#include <algorithm>
#include <array>

namespace airgap::image {
namespace {

constexpr std::string_view k_docker_layer = "application/vnd.docker.image.rootfs.diff.tar";
constexpr std::string_view k_docker_foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar";
constexpr std::string_view k_oci_layer = "application/vnd.oci.image.layer.v1.tar";
constexpr std::string_view k_oci_foreign = "application/vnd.oci.image.layer.nondistributable.v1.tar";

constexpr std::array<std::string_view, 4> k_compressions{"+gzip", ".gzip", "+zstd", ".zstd"};

// `base` alone or with a compression: ".gzip" in docker's types, "+gzip" in OCI's.
bool is_tar(std::string_view media_type, std::string_view base) noexcept {
  if (!media_type.starts_with(base)) return false;
  const std::string_view rest = media_type.substr(base.size());
  return rest.empty() || rest == ".gzip" || rest == "+gzip" || rest == ".zstd" || rest == "+zstd";
}

}  // namespace

std::optional<ManifestKind> manifest_kind(std::string_view media_type) noexcept {
  if (media_type == k_oci_manifest || media_type == k_docker_manifest || media_type == k_artifact_manifest) {
    return ManifestKind::image;
  }
  if (media_type == k_oci_index || media_type == k_docker_list) return ManifestKind::index;
  return std::nullopt;
}

bool is_schema1(std::string_view media_type) noexcept {
  return media_type == "application/vnd.docker.distribution.manifest.v1+json" ||
         media_type == "application/vnd.docker.distribution.manifest.v1+prettyjws";
}

bool is_foreign_layer(std::string_view media_type) noexcept {
  return is_tar(media_type, k_docker_foreign) || is_tar(media_type, k_oci_foreign);
}

bool is_filesystem_layer(std::string_view media_type) noexcept {
  return is_tar(media_type, k_docker_layer) || is_tar(media_type, k_oci_layer) ||
         is_foreign_layer(media_type);
}

bool is_compressed(std::string_view media_type) noexcept {
  return std::ranges::any_of(k_compressions,
                             [&](std::string_view ending) { return media_type.ends_with(ending); });
}

bool is_image_config(std::string_view media_type) noexcept {
  return media_type == k_oci_config || media_type == k_docker_config;
}

std::string bare_media_type(std::string_view content_type) {
  content_type = content_type.substr(0, content_type.find(';'));
  const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  while (!content_type.empty() && is_space(content_type.front())) content_type.remove_prefix(1);
  while (!content_type.empty() && is_space(content_type.back())) content_type.remove_suffix(1);
  std::string bare(content_type);
  for (char& c : bare) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return bare;
}

bool is_valid_media_type(std::string_view media_type) noexcept {
  const std::size_t slash = media_type.find('/');
  return media_type.size() <= 255 && slash != std::string_view::npos && slash != 0 &&
         slash + 1 < media_type.size() && std::all_of(media_type.begin(), media_type.end(), [](char c) {
           return c > ' ' && c < '\x7f' && c != '"' && c != ',' && c != '\\';
         });
}

}  // namespace airgap::image
