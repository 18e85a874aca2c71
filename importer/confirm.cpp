#include "importer/confirm.hpp"

#include <fmt/format.h>

#include <mutex>
#include <set>

#include "common/task/for_each.hpp"

namespace airgap::importer {
namespace {

// Placements whose root was pushed by this run.
std::vector<std::size_t> changed(const ImportPlan& plan, const FailedPlacements& failed) {
  std::set<std::size_t> images;
  for (const TagStep& tag : plan.tags) {
    if (!tag.unchanged()) images.insert(tag.image);
  }
  for (const ManifestStep& manifest : plan.manifests) {
    for (const std::size_t image : manifest.images) {
      if (manifest.document.descriptor.digest == plan.placements[image].image.digest) images.insert(image);
    }
  }
  for (const auto& [image, error] : failed) images.erase(image);
  return {images.begin(), images.end()};
}

void confirm_one(const Placement& placement, registry::RegistryClient& client) {
  const std::string reference = placement.target.tag ? *placement.target.tag : placement.image.digest.str();
  const auto served = client.get_manifest(placement.repository, reference);
  if (!served) {
    throw diag::IntegrityError(fmt::format("{} took {} and does not serve it", placement.repository.registry,
                                           placement.target.str()),
                               "the registry is at fault, not the bundle: check its storage, then run again");
  }
  if (served->descriptor.digest != placement.image.digest) {
    throw diag::IntegrityError(
        fmt::format("{} is {} in the bundle, and the registry serves {}", placement.target.str(),
                    placement.image.digest.str(), served->descriptor.digest.str()),
        "somebody else pushed the tag meanwhile, or the registry rewrites manifests; the bundle is not at "
        "fault");
  }
}

}  // namespace

void confirm(const ImportPlan& plan, registry::RegistryClient& client, const PushOptions& options,
             FailedPlacements& failed) {
  const std::vector<std::size_t> images = changed(plan, failed);
  std::mutex mutex;
  task::for_each_bounded(std::span(images), options.jobs, options.stop, [&](std::size_t image) {
    const Placement& placement = plan.placements[image];
    try {
      diag::with_context([&] { return "reading back " + placement.target.str(); },
                         [&] { confirm_one(placement, client); });
    } catch (const diag::Interrupted&) {
      throw;
    } catch (const diag::Error& error) {
      if (!options.keep_going) throw;
      const std::scoped_lock lock(mutex);
      failed.emplace(image, error);
    }
  });
}

}  // namespace airgap::importer
