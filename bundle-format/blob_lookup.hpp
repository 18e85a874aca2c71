#pragma once

#include <string>
#include <unordered_map>

#include "bundle-format/metadata/bundle_json.hpp"
#include "common/image/descriptor.hpp"
#include "common/io/stream.hpp"

namespace airgap::bundle {

/// The blobs of a bundle by digest. Borrows the value that it was made from.
class BlobLookup {
 public:
  explicit BlobLookup(const BundleInfo& info);

  /// Throws IntegrityError when the bundle has not got it, UnsafeError when it has it with another size (0:
  /// not known).
  const Blob& find(const image::Descriptor& wanted) const;
  const Blob* find(const hash::Digest& digest) const;  ///< nullptr when it is not there

 private:
  bool is_required(const hash::Digest& digest) const;

  const BundleInfo& m_info;
  std::unordered_map<hash::Digest, const Blob*> m_blobs;
};

/// The bytes of a manifest from where they are stored. Throws DigestMismatch, and UnsafeError above the
/// limit.
std::string read_verified(io::Source& bytes, const Blob& manifest);

}  // namespace airgap::bundle
