#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/hash/digest.hpp"
#include "common/image/reference.hpp"

namespace airgap::bundle {

struct WantedBlob {
  hash::Digest digest;
  std::uint64_t size = 0;           ///< in bytes
  std::string media_type{};         ///< as its image calls it; empty when nobody says
  std::vector<std::string> urls{};  ///< of a foreign layer: where it is, if not in the image's repository

  friend bool operator==(const WantedBlob&, const WantedBlob&) = default;
};

/// Blobs of one image that are to be brought in. The image stays behind.
struct WantedOfImage {
  image::Reference name;  ///< full source name
  hash::Digest digest;    ///< what it stands for in the delta
  std::string target;     ///< the repository inside, below the prefix
  std::vector<WantedBlob> blobs;

  friend bool operator==(const WantedOfImage&, const WantedOfImage&) = default;
};

/// What a registry lacks of that which a delta requires: written inside, read by `pull --from`. SPEC.md,
/// "Want-lists".
struct WantList {
  std::string creator;
  std::string created;                ///< RFC 3339, UTC
  std::vector<WantedOfImage> images;  ///< sorted by name; no blob stands under two of them

  friend bool operator==(const WantList&, const WantList&) = default;
};

std::string write_want_list(const WantList& list);
/// Validates everything. Throws UnsafeError (FormatError with the JSON pointer).
WantList parse_want_list(std::string_view bytes);

inline constexpr std::string_view k_want_list_kind = "airgap-want-list";

}  // namespace airgap::bundle
