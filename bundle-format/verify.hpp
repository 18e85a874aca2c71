#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "bundle-format/inspection.hpp"
#include "bundle-format/metadata/bundle_json.hpp"
#include "bundle-format/metadata/finding.hpp"

namespace airgap::bundle {

struct VerifyReport {
  std::optional<BundleInfo> info;    ///< when the metadata could be read
  std::vector<Finding> findings;     ///< all of them, by file
  std::vector<std::string> damaged;  ///< images that a finding touches
  bool all_touched = false;          ///< every image: where nobody knows their names, too
  std::string part_of{};             ///< "volume 2 of 3" where that one alone was checked
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
};

/// Checks every file against SHA256SUMS (and SHA512SUMS), that nothing is missing or extra, and that every
/// reference of every manifest resolves with the right size. Goes on after a finding. `jobs` threads;
/// `progress` is told of bytes read, from any thread. `paths` are those of open_bundle(), except that one
/// file which is one of several volumes means that one alone. Throws UsageError when there is no bundle
/// there, StorageError when the medium fails to be opened.
VerifyReport verify_bundle(const std::vector<std::string>& paths, std::size_t jobs,
                           const std::stop_token& stop, const std::function<void(std::uint64_t)>& progress);
inline VerifyReport verify_bundle(const std::string& path, std::size_t jobs, std::stop_token stop,
                                  const std::function<void(std::uint64_t)>& progress) {
  return verify_bundle(std::vector{path}, jobs, std::move(stop), progress);
}

/// Reads blobs of a bundle to their ends and compares them with their digests. What is wrong, in no order.
std::vector<Finding> read_blobs(const Inspection& bundle, const std::vector<Blob>& blobs, std::size_t jobs,
                                std::stop_token stop, const std::function<void(std::uint64_t)>& progress);

}  // namespace airgap::bundle
