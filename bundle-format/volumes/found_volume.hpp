#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/hash/digest.hpp"

namespace airgap::bundle {

/// A file that says it is a volume. Nothing of that is proven.
struct FoundVolume {
  std::string path;
  std::string stream;
  std::uint64_t sequence = 1;
  std::size_t number = 1;
  std::size_t count = 1;
  bool unfinished = false;  ///< it is still .partial
  /// The digest of SHA256SUMS as it is there, and, where that is another one, as SHA256SUMS.volume says.
  std::vector<hash::Digest> contents{};
  /// SHA256SUMS.volume was written for another volume.json: what is above is wrong.
  bool head_damaged = false;
  bool cut = false;                    ///< the file is shorter than volume.json says
  std::uint64_t created = 0;           ///< seconds since 1970, as its headers say
  std::optional<hash::Digest> json{};  ///< of volume.json
};

/// Whether both are of one set. A volume with a changed SHA256SUMS is still known by what SHA256SUMS.volume
/// says of it; the stream and sequence of volume.json do not matter, for SHA256SUMS has them too.
bool same_bundle(const FoundVolume& a, const FoundVolume& b);
/// Whether both say that they are the same volume, and of the same contents.
bool same_volume(const FoundVolume& a, const FoundVolume& b);
/// "disc/set.001.tar is volume 1 of 5 of stream … sequence 1, created 2026-01-31T12:00:00Z", safe to print.
std::string described(const FoundVolume& volume);
/// The same of several that are of one bundle: "disc/set.001.tar and 2 more are volumes 1-3 of 5 of …".
std::string described(const std::vector<FoundVolume>& volumes);

/// What a file says that it is; nothing for what is no volume.
std::optional<FoundVolume> look_for_volume(const std::string& path);

}  // namespace airgap::bundle
