#include "common/delivery/referrers_tag.hpp"

#include <algorithm>

#include "common/delivery/subjects.hpp"
#include "common/image/index.hpp"
#include "common/image/manifest.hpp"
#include "common/image/media_type.hpp"
#include "common/task/for_each.hpp"

namespace airgap::delivery {
namespace {

image::Index existing_index(const ReferrersStep& step, registry::RegistryClient& client) {
  if (step.exists) {
    if (const auto existing = client.get_manifest(step.repository, referrers_tag(step.subject))) {
      const auto parsed = image::parse_manifest(existing->bytes, existing->descriptor.media_type, {});
      if (parsed.index() != nullptr) return *parsed.index();
    }
  }
  return {.media_type = std::string(image::k_oci_index)};
}

void update(const ReferrersStep& step, const Failures& failures, registry::RegistryClient& client) {
  // A repository that was unknown to the survey said nothing about the API.
  if (client.referrers(step.repository, step.subject)) return;
  image::Index index = existing_index(step, client);
  bool changed = false;
  for (std::size_t i = 0; i < step.referrers.size(); ++i) {
    const image::Descriptor& entry = step.referrers[i];
    const bool listed =
        std::any_of(index.manifests.begin(), index.manifests.end(),
                    [&](const image::Descriptor& known) { return known.digest == entry.digest; });
    if (listed || failures.has_failed(step.images[i])) continue;
    index.manifests.push_back(entry);
    changed = true;
  }
  if (!changed) return;
  client.put_manifest(step.repository, referrers_tag(step.subject),
                      image::write_index(index, index.manifests), index.media_type);
}

}  // namespace

void update_referrers_tags(const Plan& plan, registry::RegistryClient& client, const PushOptions& options,
                           Failures& failures) {
  task::for_each_bounded(
      std::span(plan.referrers), options.jobs, options.stop, [&](const ReferrersStep& step) {
        if (failures.all_failed(step.images)) return;
        failures.push(
            step.repository, [&] { return step.images; },
            [&] {
              diag::with_context([&] { return "listing the referrers of " + step.subject.str(); },
                                 [&] { update(step, failures, client); });
            });
      });
}

}  // namespace airgap::delivery
