#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bundle-format/metadata/bundle_json.hpp"
#include "bundle-format/metadata/contents.hpp"
#include "common/hash/hasher.hpp"

namespace airgap::bundle::testing {

/// For plans, which ask for no bytes: layers of these sizes, in that order, and no image.
inline BundleInfo blobs_of(const std::vector<std::uint64_t>& sizes) {
  BundleInfo info{.stream = "0123456789abcdef0123456789abcdef",
                  .creator = "test",
                  .created = "2026-01-31T12:00:00Z",
                  .images = {},
                  .blobs = {},
                  .requires_ = {}};
  for (const std::uint64_t size : sizes) {
    const hash::Digest digest = hash::sha256_of(std::to_string(info.blobs.size()));
    info.blobs.push_back({digest, size, BlobKind::layer, size});
  }
  return info;
}

/// A head, to be planned with them.
inline const std::vector<MetadataFile> k_head{{"oci-layout", "{}"}, {"SHA256SUMS", std::string(700, 's')}};

}  // namespace airgap::bundle::testing
