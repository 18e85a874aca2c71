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
  std::vector<std::string> said_by;     ///< the files, for people; empty when there is nothing to leave out
  std::vector<std::string> registries;  ///< that receipts speak of, each once: "host/prefix"
  std::map<hash::Digest, Held> blobs;   ///< configs and layers
  std::set<std::pair<image::Reference, hash::Digest>> images;
  std::set<std::pair<std::string, hash::Digest>> targets;  ///< the same by names inside, below the prefix
  std::map<image::Reference, std::string> places;          ///< source names, and names inside: hints
  /// The stream of the first file that has one, and the highest number of it in all of them.
  std::optional<bundle::StreamPosition> position;

  /// Where it has the blob; null when it has not.
  const Held* find(const bundle::Blob& blob) const;
  /// Whether it has this very image, under its source name or its name inside.
  bool has(const bundle::Image& image) const;

  void add(OtherSide other);                 ///< what `other` has is here too
  void keep_common(const OtherSide& other);  ///< what `other` has not counts for nothing
};

}  // namespace airgap::exporter
