#include "common/delivery/push.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/delivery/blob_push.hpp"
#include "common/delivery/manifest_push.hpp"
#include "common/task/for_each.hpp"

namespace airgap::delivery {

void push_blobs(const Plan& plan, transport::ImageSource& source, registry::RegistryClient& client,
                transport::Observer& observer, const PushOptions& options, Failures& failures) {
  BlobPush push(plan, client, observer, options.sender, failures);
  task::for_each_bounded(std::span(plan.blobs), options.jobs, options.stop, [&](const BlobStep& step) {
    if (!step.carried) return push.from_registry(step);
    push.from_source(step, [&](std::uint64_t offset) { return source.open_blob(step.blob, offset); });
  });
}

void push_manifests(const Plan& plan, registry::RegistryClient& client, transport::ImageSource* again,
                    const PushOptions& options, Failures& failures) {
  auto rest = std::span(plan.manifests);
  while (!rest.empty()) {
    const auto end = std::find_if(rest.begin(), rest.end(),
                                  [&](const ManifestStep& step) { return step.level != rest.front().level; });
    const auto level = rest.first(static_cast<std::size_t>(end - rest.begin()));
    rest = rest.subspan(level.size());
    task::for_each_bounded(level, options.jobs, options.stop, [&](const ManifestStep& step) {
      if (failures.all_failed(step.images)) return;
      const image::Descriptor& descriptor = step.document.descriptor;
      failures.push(
          step.repository, [&] { return step.images; },
          [&] {
            diag::with_context(
                [&] {
                  return fmt::format("pushing manifest {} to {}", descriptor.digest.str(),
                                     step.repository.str());
                },
                [&] { push_manifest(step, plan.required, again, client); });
          });
    });
  }
}

void push_tags(const Plan& plan, registry::RegistryClient& client, const PushOptions& options,
               Failures& failures) {
  task::for_each_bounded(std::span(plan.tags), options.jobs, options.stop, [&](const TagStep& step) {
    if (step.unchanged() || failures.has_failed(step.image)) return;
    const Placement& placement = plan.placements[step.image];
    const transport::ManifestDocument& root = placement.graph.root();
    failures.push(
        placement.repository, [&] { return std::vector{step.image}; },
        [&] {
          diag::with_context([&] { return "tagging " + step.target.str(); },
                             [&] {
                               client.put_manifest(placement.repository, *step.target.tag, *root.bytes,
                                                   root.descriptor.media_type);
                             });
        });
  });
}

}  // namespace airgap::delivery
