#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/image/descriptor.hpp"
#include "common/image/index.hpp"

namespace airgap::image {

/// The largest manifest or index in bytes, and the most descriptors in one: what registries and runtimes take
/// too.
inline constexpr std::size_t k_max_manifest = std::size_t{4} * 1024 * 1024;
inline constexpr std::size_t k_max_descriptors = 100'000;

/// An image or artifact manifest: OCI, docker schema 2, or the older ORAS artifact whose `blobs` are `layers`
/// here.
struct Manifest {
  std::string media_type;              ///< as decided, also when the document does not say it
  std::optional<Descriptor> config{};  ///< always there but for the ORAS artifact
  std::vector<Descriptor> layers{};
  std::optional<Descriptor> subject{};
  std::optional<std::string> artifact_type{};
  Annotations annotations{};

  std::vector<Descriptor> blobs() const;  ///< config, then layers, repeats included
  bool is_runnable() const;  ///< an image for a runtime, not an artifact, signature or attestation

  friend bool operator==(const Manifest&, const Manifest&) = default;
};

/// A parsed view beside the original bytes, which stay what is stored and sent.
struct ParsedManifest {
  std::string media_type;
  std::variant<Manifest, Index> body;

  const Manifest* image() const { return std::get_if<Manifest>(&body); }
  const Index* index() const { return std::get_if<Index>(&body); }
};

/// Parses a manifest or index and decides its type. The document's mediaType, the server's `content_type` and
/// the `expected_media_type` of the descriptor that names it may each be missing (empty), and must agree
/// where they are there; a Content-Type that says nothing (text/plain, application/json) counts as missing
/// but is not enough (R42-R44). Throws FormatError, and UnsafeError for a document that two readers would
/// understand differently (CVE-2021-41190), for schema 1, for one digest with two sizes or types (R52) and
/// above the limits; IntegrityError for inline data.
ParsedManifest parse_manifest(std::string_view bytes, std::string_view content_type,
                              std::string_view expected_media_type);

}  // namespace airgap::image
