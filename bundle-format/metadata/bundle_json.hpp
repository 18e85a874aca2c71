#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/hash/digest.hpp"
#include "common/image/descriptor.hpp"
#include "common/image/mapping.hpp"
#include "common/image/platform.hpp"
#include "common/image/reference.hpp"

namespace airgap::bundle {

/// What a blob is to the images that name it; the order is the order in an archive. SPEC.md, "Blobs".
enum class BlobKind { manifest, config, layer };

/// One blob of a bundle. `stored_size` is what it takes on the medium; the two differ only for a way of
/// storing other than identity, of which there is none yet (SPEC.md, "Room to grow").
struct Blob {
  hash::Digest digest;
  std::uint64_t size = 0;  ///< in bytes, its own
  BlobKind kind = BlobKind::layer;
  std::uint64_t stored_size = 0;

  friend bool operator==(const Blob&, const Blob&) = default;
};

/// A config or layer that a delta leaves to the other side.
struct RequiredBlob {
  hash::Digest digest;
  std::uint64_t size = 0;  ///< in bytes
  BlobKind kind = BlobKind::layer;
  /// Where the other side had it, a path below the registry's prefix; empty when nobody said so.
  std::string repository{};

  friend bool operator==(const RequiredBlob&, const RequiredBlob&) = default;
};

/// An image that the other side of a delta is said to have, and that the delta does not name.
struct BaseImage {
  image::Reference name;  ///< full source name
  std::string target;     ///< inside: path[:tag] or path@digest, below the prefix

  friend bool operator==(const BaseImage&, const BaseImage&) = default;
};

/// One image of a bundle: a name and what it stands for. Referrers and cosign tags are images with a
/// `subject`.
struct Image {
  image::Reference name;  ///< the full source name, with tag or digest
  hash::Digest digest;    ///< of the manifest or index carried under that name
  std::string media_type;
  std::uint64_t size = 0;                  ///< of that manifest, in bytes
  hash::Digest source_digest;              ///< what the name stood for in the source registry
  std::vector<image::Platform> platforms;  ///< carried, runnable ones
  std::uint64_t bytes = 0;                 ///< of all manifests and blobs it names
  std::string target;  ///< default target inside: path[:tag] or path@digest, without a registry
  std::optional<hash::Digest> subject;  ///< the image that this one accompanies
  std::string platform_choice;          ///< how platforms were chosen: "all" or "linux/amd64,…"
  std::uint64_t unique_bytes = 0;       ///< of `bytes`, those that no other image of the bundle names

  friend bool operator==(const Image&, const Image&) = default;
};

/// bundle.json as a value. SPEC.md, "bundle.json".
struct BundleInfo {
  std::uint64_t format = 1;
  std::string stream;          ///< 32 hex digits, the same for all bundles of one stream
  std::uint64_t sequence = 1;  ///< rises by one with each finished bundle of the stream
  std::string creator;         ///< "airgap-export 0.1.0"
  std::string created;         ///< RFC 3339, UTC
  image::NameMode names = image::NameMode::path;
  std::vector<Image> images;            ///< sorted by name
  std::vector<Blob> blobs;              ///< in archive order: kind, then digest
  std::vector<RequiredBlob> requires_;  ///< of a delta, in the order of blobs
  std::vector<BaseImage> base{};        ///< of a delta, sorted by name: where required blobs may be

  std::uint64_t stored_bytes() const;    ///< of all blobs
  std::uint64_t required_bytes() const;  ///< of those in requires_
  friend bool operator==(const BundleInfo&, const BundleInfo&) = default;
};

inline constexpr std::uint64_t k_format = 1;  ///< the version that this code writes and the highest it reads

std::string_view name_of(BlobKind kind) noexcept;  ///< "manifest", "config", "layer"

std::string write_bundle_json(const BundleInfo& info);
/// Validates everything: version, names, order, duplicates, sizes, limits. Throws UnsafeError (exit 6); a
/// newer format or an unknown critical field names the version that is needed.
BundleInfo parse_bundle_json(std::string_view bytes);

/// `created` in seconds since 1970: "2026-01-31T12:00:00Z", years 1970 to 2241, the time of every member of
/// an archive. Throws FormatError.
std::uint64_t created_seconds(std::string_view created);

}  // namespace airgap::bundle
