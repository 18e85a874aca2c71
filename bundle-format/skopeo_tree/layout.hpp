#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/hash/digest.hpp"
#include "common/image/reference.hpp"

// The names in a tree of image folders, as `skopeo sync --dest dir` writes them. SPEC.md, "skopeo's
// directories".
namespace airgap::skopeo_tree {

inline constexpr std::string_view k_manifest_file = "manifest.json";
inline constexpr std::string_view k_version_file = "version";
inline constexpr std::size_t k_max_version_file = 4096;  ///< bytes; it has one short line
inline constexpr std::size_t k_max_signatures = 128;     ///< of one manifest, as in skopeo
inline constexpr std::size_t k_max_signature = std::size_t{4} * 1024 * 1024;  ///< bytes, likewise
inline constexpr std::size_t k_max_signature_bytes =
    std::size_t{64} * 1024 * 1024;  ///< of one image: what is held in memory

enum class FileKind {
  manifest,   ///< manifest.json: the image manifest, or the index
  version,    ///< of the format
  blob,       ///< <hex>: a config or layer
  instance,   ///< <hex>.manifest.json: a manifest that the index lists
  signature,  ///< signature-N or <hex>.signature-N
  temporary,  ///< what a crash left, of skopeo or of us
  foreign,
};

/// What the name of a file in an image folder says.
struct FileName {
  FileKind kind = FileKind::foreign;
  std::optional<hash::Digest> digest{};  ///< of a blob or instance, or the instance that a signature is of
  std::size_t number = 0;                ///< of a signature, from 1

  static FileName parse(std::string_view name);
  friend bool operator==(const FileName&, const FileName&) = default;
};

std::string blob_file(const hash::Digest& digest);      ///< "<hex>"; "sha512-<hex>" for another algorithm
std::string instance_file(const hash::Digest& digest);  ///< "<hex>.manifest.json"

/// "signature-1"; of an instance "<hex>.signature-1".
std::string signature_file(const std::optional<hash::Digest>& instance, std::size_t number);

/// The version file's text: 1.1, or 1.2 where a digest of another algorithm than sha256 is in the folder.
std::string version_text(bool other_algorithm);
/// Throws UnsafeError for a newer version, IntegrityError for a file that states none.
void check_version(std::string_view text);

/// Where an image lies below the top: "app:1", or scoped "quay.io/org/app:1", "host:5000/app@sha256:<hex>".
std::string folder_of(const image::Reference& name, bool scoped);
/// What such a folder is called: with a registry when there are several components and the first is a host
/// (it has a '.' or ':', or is localhost), else without. "latest" without tag and digest. Throws FormatError.
image::Reference name_of_folder(std::string_view folder);

}  // namespace airgap::skopeo_tree
