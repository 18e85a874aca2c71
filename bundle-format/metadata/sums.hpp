#pragma once

#include <map>
#include <string>
#include <string_view>

#include "bundle-format/metadata/bundle_json.hpp"
#include "bundle-format/metadata/contents.hpp"
#include "common/hash/digest.hpp"

namespace airgap::bundle {

/// A check-sum file as a value: what `sha256sum -c` and `sha512sum -c` read.
struct Sums {
  std::string comment;                        ///< the first line's, without "# "; empty when there is none
  std::map<std::string, hash::Digest> files;  ///< by path; all of one algorithm

  friend bool operator==(const Sums&, const Sums&) = default;
};

/// "# <comment>", then "<hex>  <path>" a line, sorted by path.
std::string write_sums(const Sums& sums);
/// Takes just what write_sums() writes. Throws UnsafeError for another form, order, repeats and names that no
/// bundle has.
Sums parse_sums(std::string_view bytes, hash::Algorithm algorithm);

/// What SHA256SUMS says of a bundle: `others` are its other metadata files, SHA512SUMS among them.
Sums sha256_sums(const BundleInfo& info, const std::vector<MetadataFile>& others);
/// What SHA512SUMS says: the blobs with such a digest, which nobody knows the sha256 of before they have
/// arrived.
Sums sha512_sums(const BundleInfo& info);

}  // namespace airgap::bundle
