#include "common/delivery/manifest_push.hpp"

#include <fmt/format.h>

#include "common/diag/log.hpp"
#include "common/image/manifest.hpp"
#include "common/registry/api_error.hpp"

namespace airgap::delivery {
namespace {

void put(const ManifestStep& step, registry::RegistryClient& client) {
  const image::Descriptor& descriptor = step.document.descriptor;
  client.put_manifest(step.repository, descriptor.digest.str(), *step.document.bytes, descriptor.media_type);
}

// Whether any was.
bool push_lost_blobs(const ManifestStep& step, transport::ImageSource& again,
                     registry::RegistryClient& client) {
  const auto parsed = image::parse_manifest(*step.document.bytes, {}, step.document.descriptor.media_type);
  if (parsed.image() == nullptr) return false;
  bool any = false;
  for (const image::Descriptor& blob : parsed.image()->blobs()) {
    if (client.has_blob(step.repository, blob.digest)) continue;
    diag::log("push", diag::LogLevel::warning,
              fmt::format("{} lost blob {} of {} after it was sent; sending it once more",
                          step.repository.registry, blob.digest.str(), step.repository.path));
    client.upload_blob(step.repository, blob,
                       [&](std::uint64_t offset) { return again.open_blob(blob, offset); }, {});
    any = true;
  }
  return any;
}

}  // namespace

void push_manifest(const ManifestStep& step, transport::ImageSource* again,
                   registry::RegistryClient& client) {
  try {
    return put(step, client);
  } catch (const registry::MissingContent&) {
    if (again == nullptr || !push_lost_blobs(step, *again, client)) throw;
  }
  put(step, client);
}

}  // namespace airgap::delivery
