#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bundle-format/metadata/bundle_json.hpp"
#include "bundle-format/metadata/finding.hpp"

namespace airgap::bundle {

/// The metadata files of a bundle as found, by name; each within its cap.
using FoundMetadata = std::map<std::string, std::string, std::less<>>;

/// What became of the check of them.
struct MetadataCheck {
  std::optional<BundleInfo>
      info;  ///< whenever bundle.json could be read, even where a finding says that it was changed
  bool trusted = false;                ///< bundle.json is what SHA256SUMS says
  std::optional<hash::Digest> sums{};  ///< the sha256 of SHA256SUMS, where there is one
  std::vector<Finding> findings;
};

/// SHA256SUMS first, then every other file against it, then what they say against each other (SPEC.md, "What
/// a reader does"). This is the one place that does so. Throws nothing that the files cause. Without
/// SHA256SUMS nothing is compared with it, and saying that the bundle is unfinished is left to the caller.
MetadataCheck check_metadata(const FoundMetadata& files);

}  // namespace airgap::bundle
