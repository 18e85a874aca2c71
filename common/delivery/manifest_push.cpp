#include "common/delivery/manifest_push.hpp"

#include <fmt/format.h>

#include <vector>

#include "common/diag/error.hpp"
#include "common/diag/log.hpp"
#include "common/image/manifest.hpp"
#include "common/registry/api_error.hpp"

namespace airgap::delivery {
namespace {

void put(const ManifestStep& step, registry::RegistryClient& client) {
  const image::Descriptor& descriptor = step.document.descriptor;
  client.put_manifest(step.repository, descriptor.digest.str(), *step.document.bytes, descriptor.media_type);
}

std::vector<image::Descriptor> lost_blobs(const ManifestStep& step, registry::RegistryClient& client) {
  std::vector<image::Descriptor> lost;
  const auto parsed = image::parse_manifest(*step.document.bytes, {}, step.document.descriptor.media_type);
  if (parsed.image() == nullptr) return lost;
  for (const image::Descriptor& blob : parsed.image()->blobs()) {
    if (!client.has_blob(step.repository, blob.digest)) lost.push_back(blob);
  }
  return lost;
}

void refuse_required(const ManifestStep& step, const hash::Digest& blob) {
  throw diag::IntegrityError(fmt::format("{} has lost {} of {}, which this delta does not carry",
                                         step.repository.registry, blob.str(), step.repository.path),
                             "push again with --want-list FILE: it then names what is missing, for "
                             "'airgap-export pull --from FILE'");
}

void send_again(const ManifestStep& step, const image::Descriptor& blob, transport::ImageSource& again,
                registry::RegistryClient& client) {
  diag::log("push", diag::LogLevel::warning,
            fmt::format("{} lost blob {} of {} after it was sent; sending it once more",
                        step.repository.registry, blob.digest.str(), step.repository.path));
  client.upload_blob(step.repository, blob,
                     [&](std::uint64_t offset) { return again.open_blob(blob, offset); }, {});
}

}  // namespace

void push_manifest(const ManifestStep& step, const std::set<hash::Digest>& required,
                   transport::ImageSource* again, registry::RegistryClient& client) {
  try {
    return put(step, client);
  } catch (const registry::MissingContent&) {
    const std::vector<image::Descriptor> lost = lost_blobs(step, client);
    for (const image::Descriptor& blob : lost) {
      if (required.contains(blob.digest)) refuse_required(step, blob.digest);
    }
    if (again == nullptr || lost.empty()) throw;
    for (const image::Descriptor& blob : lost) send_again(step, blob, *again, client);
  }
  put(step, client);
}

}  // namespace airgap::delivery
