#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "bundle-format/metadata/bundle_json.hpp"
#include "bundle-format/metadata/receipt.hpp"

namespace airgap::exporter {

/// What the other side of the gap has, as far as --since says.
struct OtherSide {
  struct Held {
    std::uint64_t size = 0;  ///< in bytes
    std::string repository;  ///< where, below the registry's prefix; empty when nobody says so
  };
  std::vector<std::string> said_by;    ///< the files, for people; empty when there is nothing to leave out
  std::map<hash::Digest, Held> blobs;  ///< configs and layers
  std::set<std::pair<image::Reference, hash::Digest>> images;
  /// The stream of the first file that has one, and the highest number of it in all of them.
  std::optional<bundle::StreamPosition> position;

  /// Where it has the blob; null when it has not.
  const Held* find(const bundle::Blob& blob) const;
};

/// Reads what each file is: a bundle in any form, a bundle's bundle.json by itself, a receipt; the kind is
/// told from the content. Throws UsageError for a file that is none of them, and for the bundle at `output`
/// itself, which would end with nothing in it; IntegrityError for a damaged bundle.
OtherSide read_other_side(const std::vector<std::string>& files, const std::string& output);

}  // namespace airgap::exporter
