#include "bundle-format/bundle_writer.hpp"

#include "bundle-format/metadata/layout.hpp"
#include "common/diag/error.hpp"

namespace airgap::bundle {

void BundleWriter::put_blob(const Blob& blob, const transport::BlobOpener& open,
                            transport::Observer& observer) {
  if (!has_blob(blob)) return store_blob(blob, open, observer);
  observer.blob_started(blob.digest, blob.size, blob.size);
  observer.blob_finished(blob.digest, blob.size, "present");
}

Inspection BundleWriter::inspect_sealed() const {
  try {
    return inspect(sealed_paths(), Depth::files);
  } catch (const diag::UsageError& error) {
    Inspection nothing;
    nothing.findings.push_back(finding_of(error, std::string(k_bundle_file)));
    return nothing;
  }
}

void BundleWriter::retract(const std::vector<hash::Digest>&) {
  throw diag::InternalError("this form of a bundle cannot be taken back");
}

}  // namespace airgap::bundle
