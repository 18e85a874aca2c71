#include "bundle-format/blob_lookup.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/diag/error.hpp"
#include "common/hash/verifying_source.hpp"
#include "common/image/manifest.hpp"

namespace airgap::bundle {

BlobLookup::BlobLookup(const BundleInfo& info) : m_info(info) {
  m_blobs.reserve(info.blobs.size());
  for (const Blob& blob : info.blobs) m_blobs.emplace(blob.digest, &blob);
}

const Blob* BlobLookup::find(const hash::Digest& digest) const {
  const auto found = m_blobs.find(digest);
  return found == m_blobs.end() ? nullptr : found->second;
}

bool BlobLookup::is_required(const hash::Digest& digest) const {
  return std::ranges::any_of(m_info.requires_,
                             [&](const RequiredBlob& blob) { return blob.digest == digest; });
}

const Blob& BlobLookup::find(const image::Descriptor& wanted) const {
  const Blob* blob = find(wanted.digest);
  if (blob == nullptr && is_required(wanted.digest))
    throw diag::IntegrityError(
        fmt::format("this delta does not carry blob {}: the registry has to have it", wanted.digest.str()),
        "push it again: it asks the registry for what it requires before anything is written");
  if (blob == nullptr)
    throw diag::IntegrityError(fmt::format("the bundle has no blob {}", wanted.digest.str()),
                               "see which images that touches with 'verify'");
  if (wanted.size != 0 && wanted.size != blob->size)
    throw diag::UnsafeError(fmt::format("{} has {} bytes in the bundle, and {} are declared",
                                        wanted.digest.str(), blob->size, wanted.size));
  return *blob;
}

std::string read_verified(io::Source& bytes, const Blob& manifest) {
  hash::VerifyingSource verified(bytes, manifest.digest, manifest.size);
  return io::read_all(verified, image::k_max_manifest, "manifest");
}

}  // namespace airgap::bundle
