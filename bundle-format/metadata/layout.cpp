#include "bundle-format/metadata/layout.hpp"

#include <algorithm>
#include <array>

#include "bundle-format/metadata/limits.hpp"
#include "common/diag/error.hpp"

namespace airgap::bundle {

std::string blob_path(const hash::Digest& digest) {
  return std::string(k_blobs_directory) + "/" + std::string(hash::name(digest.algorithm())) + "/" +
         digest.hex();
}

std::optional<hash::Digest> digest_of_path(std::string_view path) {
  constexpr std::string_view k_prefix = "blobs/";
  if (!path.starts_with(k_prefix)) return std::nullopt;
  std::string text(path.substr(k_prefix.size()));
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos) return std::nullopt;
  text[slash] = ':';
  try {
    return hash::Digest::parse(text);
  } catch (const diag::FormatError&) {
    return std::nullopt;
  }
}

std::optional<std::size_t> metadata_cap(std::string_view name) {
  if (name == k_oci_layout_file) return k_max_oci_layout;
  if (name == k_index_file || name == k_docker_file) return k_max_index_json;
  if (name == k_bundle_file) return k_max_bundle_json;
  if (name == k_sha256_file || name == k_sha512_file) return k_max_sums;
  return std::nullopt;
}

bool is_system_dropping(std::string_view name) {
  constexpr std::array<std::string_view, 9> k_names{
      "Thumbs.db",   ".DS_Store",  "desktop.ini",     "System Volume Information",
      "lost+found",  ".fseventsd", ".Spotlight-V100", ".TemporaryItems",
      "$RECYCLE.BIN"};
  return std::find(k_names.begin(), k_names.end(), name) != k_names.end() || name.starts_with("._") ||
         name == ".Trashes" || name.starts_with(".Trash-");
}

}  // namespace airgap::bundle
