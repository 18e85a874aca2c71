#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "bundle-format/metadata/bundle_json.hpp"
#include "bundle-format/metadata/layout.hpp"
#include "common/io/directory.hpp"

namespace airgap::bundle {

/// What lies in a directory that a bundle is to be written to.
struct DirectorySurvey {
  std::optional<BundleInfo> info;              ///< from the last time the bundle was finished, or nearly so
  bool finished = false;                       ///< sealed by SHA256SUMS
  std::map<std::string, std::uint64_t> blobs;  ///< published files: "blobs/sha256/<hex>" to size in bytes
};

/// Throws UsageError, naming the first of them, when the directory holds things that are no part of a bundle:
/// they would be in the way, and nothing of the user's is ever removed. Reads the root directory alone.
void refuse_foreign_directory(const io::Directory& root);

/// Looks at everything but blob bytes, and changes nothing. Throws as above for entries below blobs/, and
/// IntegrityError for a finished bundle whose bundle.json is damaged.
DirectorySurvey survey_directory(const io::Directory& root);

/// Whether a crashed atomic write of a metadata file may have left it.
bool is_temporary_name(std::string_view name);

/// Removes what crashed atomic writes left. Call it under the lock.
void remove_temporary_files(const io::Directory& root);

/// The published manifest of that digest, verified; nothing when it is not there or damaged.
std::optional<std::string> published_manifest(const io::Directory& root, const hash::Digest& digest);

/// A metadata file's bytes; nothing when it is absent.
std::optional<std::string> read_metadata(const io::Directory& root, std::string_view name);

/// Removes published blobs that `keep` does not name, then directories below blobs/ that are empty.
void remove_blobs_except(const io::Directory& root, const std::map<std::string, std::uint64_t>& keep);

}  // namespace airgap::bundle
