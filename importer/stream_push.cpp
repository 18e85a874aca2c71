#include "importer/stream_push.hpp"

#include <unordered_map>

#include "common/delivery/blob_push.hpp"
#include "importer/passing_blob.hpp"

namespace airgap::importer {

void push_blobs(const delivery::Plan& plan, bundle::BundleStream& stream, registry::RegistryClient& client,
                transport::Observer& observer, const delivery::PushOptions& options,
                delivery::Failures& failures, const std::function<void(const diag::Error&)>& passed_over) {
  delivery::BlobPush push(plan, client, observer, options.sender, failures);
  for (const delivery::BlobStep& step : plan.blobs) {
    if (options.stop.stop_requested()) throw diag::Interrupted();
    if (!step.carried) push.from_registry(step);
  }
  std::unordered_map<hash::Digest, const delivery::BlobStep*> steps;
  for (const delivery::BlobStep& step : plan.blobs) steps.emplace(step.blob.digest, &step);
  const auto take = [&](const bundle::Blob& blob, io::Source& bytes) {
    if (options.stop.stop_requested()) throw diag::Interrupted();
    const auto found = steps.find(blob.digest);
    if (found == steps.end()) return;
    PassingBlob passing(bytes, blob.size);
    push.from_pipe(*found->second, [&](std::uint64_t offset) { return passing.open(offset); });
  };
  const auto damaged = [&](const bundle::Blob& blob, const diag::IntegrityError& error) {
    const auto found = steps.find(blob.digest);
    if (found == steps.end()) return passed_over(error);
    failures.run([&] { return found->second->images; }, [&] { throw diag::IntegrityError(error); });
  };
  stream.for_each_blob(take, damaged);
}

}  // namespace airgap::importer
