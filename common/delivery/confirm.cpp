#include "common/delivery/confirm.hpp"

#include <fmt/format.h>

#include <set>

#include "common/task/for_each.hpp"

namespace airgap::delivery {
namespace {

// Placements whose root was pushed by this run.
std::vector<std::size_t> changed(const Plan& plan, const Failures& failures) {
  std::set<std::size_t> images;
  for (const TagStep& tag : plan.tags) {
    if (!tag.unchanged()) images.insert(tag.image);
  }
  for (const ManifestStep& manifest : plan.manifests) {
    for (const std::size_t image : manifest.images) {
      if (manifest.document.descriptor.digest == plan.placements[image].digest) images.insert(image);
    }
  }
  for (const auto& [image, error] : failures.all()) images.erase(image);
  return {images.begin(), images.end()};
}

void confirm_one(const Placement& placement, const Sender& sender, registry::RegistryClient& client) {
  const std::string reference = placement.target.tag ? *placement.target.tag : placement.digest.str();
  const auto served = client.get_manifest(placement.repository, reference);
  if (!served) {
    throw diag::IntegrityError(
        fmt::format("{} took {} and does not serve it", placement.repository.registry,
                    placement.target.str()),
        fmt::format("the registry is at fault, not {}: check its storage, then run again", sender.name));
  }
  if (served->descriptor.digest != placement.digest) {
    throw diag::IntegrityError(
        fmt::format("{} is {} in {}, and the registry serves {}", placement.target.str(),
                    placement.digest.str(), sender.name, served->descriptor.digest.str()),
        fmt::format("somebody else pushed the tag meanwhile, or the registry rewrites manifests; {} is not "
                    "at fault",
                    sender.name));
  }
}

}  // namespace

void confirm(const Plan& plan, registry::RegistryClient& client, const PushOptions& options,
             Failures& failures) {
  const std::vector<std::size_t> images = changed(plan, failures);
  task::for_each_bounded(std::span(images), options.jobs, options.stop, [&](std::size_t image) {
    const Placement& placement = plan.placements[image];
    failures.run([&] { return std::vector{image}; },
                 [&] {
                   diag::with_context([&] { return "reading back " + placement.target.str(); },
                                      [&] { confirm_one(placement, options.sender, client); });
                 });
  });
}

}  // namespace airgap::delivery
