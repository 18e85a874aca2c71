#include "bundle-format/earlier_bundle.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/diag/error.hpp"
#include "common/hash/hasher.hpp"

namespace airgap::bundle {

bool sums_list(std::string_view sums, const MetadataFile& file) {
  const std::string line = fmt::format("\n{}  {}\n", hash::sha256_of(file.bytes).hex(), file.name);
  return fmt::format("\n{}", sums).find(line) != std::string::npos;
}

std::optional<BundleInfo> earlier_info(const std::optional<std::string>& bundle_json,
                                       const std::optional<std::string>& sums, const std::string& path) {
  if (sums && !(bundle_json && sums_list(*sums, {"bundle.json", *bundle_json}))) {
    throw diag::IntegrityError(fmt::format("{} is damaged: bundle.json is not what SHA256SUMS says", path),
                               "see what 'verify' says about it, or write to another place");
  }
  if (!bundle_json) return std::nullopt;
  try {
    return parse_bundle_json(*bundle_json);
  } catch (const diag::UnsafeError&) {
    if (sums) throw;  // made by a newer version, say: not to be written over
    return std::nullopt;
  }
}

bool holds_already(const Contents& wanted, const BundleInfo& earlier,
                   const std::function<std::optional<std::string>(const std::string& name)>& bytes_of) {
  Contents same = wanted;
  same.info.stream = earlier.stream;
  same.info.sequence = earlier.sequence;
  same.info.creator = earlier.creator;
  same.info.created = earlier.created;
  if (same.info != earlier) return false;
  return std::ranges::all_of(metadata_files(same),
                             [&](const MetadataFile& file) { return bytes_of(file.name) == file.bytes; });
}

bool holds_already(const Contents& wanted, const BundleInfo& earlier,
                   const std::vector<MetadataFile>& metadata) {
  return holds_already(wanted, earlier, [&](const std::string& name) -> std::optional<std::string> {
    const auto found = std::ranges::find(metadata, name, &MetadataFile::name);
    if (found == metadata.end()) return std::nullopt;
    return found->bytes;
  });
}

std::optional<std::string> verified_manifest(std::string bytes, const hash::Digest& digest) {
  if (hash::digest_of(digest.algorithm(), bytes) != digest) return std::nullopt;
  return bytes;
}

}  // namespace airgap::bundle
