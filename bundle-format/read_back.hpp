#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <stop_token>
#include <string>
#include <vector>

#include "bundle-format/bundle_writer.hpp"
#include "bundle-format/metadata/finding.hpp"

namespace airgap::bundle {

/// How much of a bundle is read from its medium again after it was written.
enum class MediaCheck { none, sample, full };

/// What came back from the medium.
struct ReadBack {
  std::uint64_t files = 0;  ///< compared with their digests
  std::uint64_t bytes = 0;
  std::vector<Finding> findings;      ///< what is not there as it was written
  std::vector<hash::Digest> damaged;  ///< the blobs among them
  std::vector<std::string> images;  ///< that need what is damaged; none where bundle.json is lost or another
  std::vector<std::string> unsteady;  ///< files that came back wrong once, and right the second time (R144)
};

/// Reads what a writer has sealed from the medium itself: everything is synced, the kernel's copies are
/// dropped, SHA256SUMS is compared with the one that was written, and files with their digests. `written` are
/// the blobs of this run, in the order of writing. A sample that finds damage goes on to read everything.
/// Where blobs alone are damaged they are read once more, until one of them is damaged again. `progress` is
/// told of bytes, from any thread. Throws StorageError when the medium does not answer at all.
ReadBack read_back(const BundleWriter& sealed, MediaCheck depth, const std::vector<Blob>& written,
                   std::stop_token stop, const std::function<void(std::uint64_t)>& progress);

/// Which blobs a sample reads: the last ones written, and one of every 32nd part of the bundle. Small ones
/// where there are any; others as long as the sample stays below 256 MiB or a sixteenth of the bundle. Pure
/// but for the dice.
std::vector<Blob> choose_sample(const std::vector<Blob>& blobs, const std::vector<Blob>& written,
                                std::mt19937_64& dice);

}  // namespace airgap::bundle
