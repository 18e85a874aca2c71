#include "exporter/resolve/resolve.hpp"

#include "common/task/for_each.hpp"
#include "exporter/resolve/image_resolver.hpp"

namespace airgap::exporter {

PinnedImages resolve(const Selection& selection, registry::RegistryClient& client, TagLists& tags,
                     const KnownImages& known, const ResolveOptions& options) {
  ImageResolver resolver(selection, client, tags, known);
  std::vector<std::vector<PinnedImage>> found(selection.images.size());
  task::Guarded<std::vector<FailedImage>> failed;
  task::for_each_index(selection.images.size(), options.jobs, options.stop, [&](std::size_t i) {
    const Wanted& wanted = selection.images[i];
    try {
      found[i] = diag::with_context([&] { return "resolving " + wanted.name.str(); },
                                    [&] { return resolver.resolve(wanted, options.referrers); });
    } catch (const diag::Interrupted&) {
      throw;
    } catch (const diag::Error& error) {
      if (!options.keep_going) throw;
      failed.with([&](auto& list) { list.push_back({wanted.name.str(), error}); });
    }
    if (options.image_done) options.image_done();
  });

  PinnedImages pinned;
  for (auto& group : found) {
    for (PinnedImage& image : group) pinned.images.push_back(std::move(image));
  }
  pinned.failed = failed.with([](auto& list) { return std::exchange(list, {}); });
  pinned.configs = resolver.configs();
  return pinned;
}

std::vector<image::Reference> names_of(const PinnedImages& pinned) {
  std::vector<image::Reference> names;
  for (const PinnedImage& image : pinned.images) names.push_back(image.name);
  return names;
}

}  // namespace airgap::exporter
