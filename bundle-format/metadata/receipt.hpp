#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/hash/digest.hpp"
#include "common/image/reference.hpp"

namespace airgap::bundle {

/// The place of a bundle in its stream.
struct StreamPosition {
  std::string stream;  ///< 32 hex digits
  std::uint64_t sequence = 1;

  friend bool operator==(const StreamPosition&, const StreamPosition&) = default;
};

/// An image that a registry holds.
struct ReceivedImage {
  image::Reference name;    ///< full source name; the name inside where nobody knows another
  image::Reference target;  ///< in the receipt's registry, with a tag or by digest alone
  hash::Digest digest;
  std::optional<hash::Digest> before;  ///< what the tag stood for earlier; nothing where it was not there

  friend bool operator==(const ReceivedImage&, const ReceivedImage&) = default;
};

/// A config or layer that a registry holds.
struct ReceivedBlob {
  hash::Digest digest;
  std::uint64_t size = 0;  ///< in bytes
  std::string repository;  ///< one that has it, below the registry

  friend bool operator==(const ReceivedBlob&, const ReceivedBlob&) = default;
};

/// What a registry holds: written inside, carried back, read by `pull --since`. SPEC.md, "Receipts".
struct Receipt {
  std::string creator;                     ///< "airgap-import 0.1.0"
  std::string created;                     ///< RFC 3339, UTC
  image::RegistryTarget registry;          ///< host[:port] and the prefix that was pushed below
  std::optional<StreamPosition> position;  ///< of the bundle that was pushed; none without one
  std::string bundle;                      ///< its file name, for people; may be empty
  std::vector<ReceivedImage> images;       ///< sorted by target
  std::vector<ReceivedBlob> blobs;         ///< sorted by digest

  /// Where `blob` is below the prefix; empty when it is beside it.
  std::string repository_of(const ReceivedBlob& blob) const;
  /// "path:tag" or "path@digest" below the prefix; nothing when it is beside it.
  std::optional<std::string> target_of(const ReceivedImage& image) const;
  friend bool operator==(const Receipt&, const Receipt&) = default;
};

std::string write_receipt(const Receipt& receipt);
/// Validates everything. Throws UnsafeError (FormatError with the JSON pointer).
Receipt parse_receipt(std::string_view bytes);

inline constexpr std::string_view k_receipt_kind = "airgap-receipt";

}  // namespace airgap::bundle
