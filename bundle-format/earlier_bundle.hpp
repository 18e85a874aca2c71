#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bundle-format/metadata/contents.hpp"

namespace airgap::bundle {

/// True when `sums`, the text of a SHA256SUMS, lists these very bytes under the name.
bool sums_list(std::string_view sums, const MetadataFile& file);

/// bundle.json of an earlier run as a value; nothing where it cannot be read. One that SHA256SUMS seals must
/// match: IntegrityError, since somebody relies on that bundle.
std::optional<BundleInfo> earlier_info(const std::optional<std::string>& bundle_json,
                                       const std::optional<std::string>& sums, const std::string& path);

/// True when the finished bundle with `earlier` in it holds just these contents: every metadata file is the
/// same but for stream, sequence, creator and time, which new contents alone would change. `bytes_of` gives a
/// metadata file's bytes.
bool holds_already(const Contents& wanted, const BundleInfo& earlier,
                   const std::function<std::optional<std::string>(const std::string& name)>& bytes_of);

/// The same, where the metadata files are at hand.
bool holds_already(const Contents& wanted, const BundleInfo& earlier,
                   const std::vector<MetadataFile>& metadata);

/// The bytes of a manifest that lies in the bundle, when they are those of the digest.
std::optional<std::string> verified_manifest(std::string bytes, const hash::Digest& digest);

}  // namespace airgap::bundle
