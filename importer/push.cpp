#include "importer/push.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <unordered_map>
#include <utility>

#include "common/task/for_each.hpp"
#include "common/task/guarded.hpp"
#include "importer/blob_push.hpp"
#include "importer/manifest_push.hpp"

namespace airgap::importer {
namespace {

/// Runs one step for some placements: a failure ends everything, or with keep_going fails just those
/// placements. Thread-safe.
class Failures {
 public:
  Failures(FailedPlacements& failed, bool keep_going) : m_keep_going(keep_going), m_failed(failed) {}

  /// `images_of` is called on failure alone.
  template <class ImagesOf, class Body>
  void run(ImagesOf&& images_of, Body&& body) {
    try {
      body();
    } catch (const diag::Interrupted&) {
      throw;
    } catch (const diag::Error& error) {
      if (!m_keep_going) throw;
      const std::vector<std::size_t> images = images_of();
      const std::scoped_lock lock(m_mutex);
      for (const std::size_t image : images) m_failed.emplace(image, error);
    }
  }

  bool all_failed(const std::vector<std::size_t>& images) const {
    const std::scoped_lock lock(m_mutex);
    return std::all_of(images.begin(), images.end(),
                       [&](std::size_t image) { return m_failed.contains(image); });
  }

 private:
  bool m_keep_going;
  mutable std::mutex m_mutex;
  FailedPlacements& m_failed;
};

/// Gets the blob of one step into its repositories; each of them fails for itself.
void push_step(const ImportPlan& plan, const BlobStep& step, const transport::BlobOpener& open, bool once,
               registry::RegistryClient& client, transport::Observer& observer, Failures& failures) {
  push_blob(step, open, once, client, observer,
            [&](const registry::Repository& to, const std::function<void()>& body) {
              const auto images_there = [&] {
                std::vector<std::size_t> images;
                std::copy_if(step.images.begin(), step.images.end(), std::back_inserter(images),
                             [&](std::size_t image) { return plan.placements[image].repository == to; });
                return images;
              };
              failures.run(images_there, [&] {
                diag::with_context(
                    [&] { return fmt::format("pushing blob {} to {}", step.blob.digest.str(), to.str()); },
                    body);
              });
            });
}

}  // namespace

FailedPlacements push_blobs(const ImportPlan& plan, transport::ImageSource& bundle,
                            registry::RegistryClient& client, transport::Observer& observer,
                            const PushOptions& options) {
  FailedPlacements failed;
  Failures failures(failed, options.keep_going);
  // The large ones first: begun last, one of them would be on its way alone while the other workers have
  // nothing to do.
  std::vector<const BlobStep*> steps;
  for (const BlobStep& step : plan.blobs) steps.push_back(&step);
  std::stable_sort(steps.begin(), steps.end(),
                   [](const BlobStep* a, const BlobStep* b) { return a->blob.size > b->blob.size; });
  task::for_each_bounded(std::span(steps), options.jobs, options.stop, [&](const BlobStep* step) {
    const auto open = [&](std::uint64_t offset) { return bundle.open_blob(step->blob, offset); };
    push_step(plan, *step, open, false, client, observer, failures);
  });
  return failed;
}

FailedPlacements push_blobs(const ImportPlan& plan, bundle::BundleStream& stream,
                            registry::RegistryClient& client, transport::Observer& observer,
                            const PushOptions& options) {
  FailedPlacements failed;
  Failures failures(failed, options.keep_going);
  std::unordered_map<hash::Digest, const BlobStep*> steps;
  for (const BlobStep& step : plan.blobs) steps.emplace(step.blob.digest, &step);
  stream.for_each_blob([&](const bundle::Blob& blob, io::Source& bytes) {
    if (options.stop.stop_requested()) throw diag::Interrupted();
    const auto found = steps.find(blob.digest);
    if (found == steps.end()) return;
    const BlobStep& step = *found->second;
    bool used = false;
    const transport::BlobOpener open = [&](std::uint64_t offset) -> std::unique_ptr<io::Source> {
      if (std::exchange(used, true) || offset != 0) {
        throw diag::NetworkError("the registry broke the upload off, and a pipe cannot be read twice",
                                 "send the bundle again: what arrived is not sent twice");
      }
      return std::make_unique<io::BorrowedSource>(bytes);
    };
    push_step(plan, step, open, true, client, observer, failures);
  });
  return failed;
}

void push_manifests(const ImportPlan& plan, registry::RegistryClient& client, transport::ImageSource* again,
                    const PushOptions& options, FailedPlacements& failed) {
  Failures failures(failed, options.keep_going);
  auto rest = std::span(plan.manifests);
  while (!rest.empty()) {
    const auto end = std::find_if(rest.begin(), rest.end(),
                                  [&](const ManifestStep& step) { return step.level != rest.front().level; });
    const auto level = rest.first(static_cast<std::size_t>(end - rest.begin()));
    rest = rest.subspan(level.size());
    task::for_each_bounded(level, options.jobs, options.stop, [&](const ManifestStep& step) {
      if (failures.all_failed(step.images)) return;
      const image::Descriptor& descriptor = step.document.descriptor;
      failures.run([&] { return step.images; },
                   [&] {
                     diag::with_context(
                         [&] {
                           return fmt::format("pushing manifest {} to {}", descriptor.digest.str(),
                                              step.repository.str());
                         },
                         [&] { push_manifest(step, again, client); });
                   });
    });
  }
}

void push_tags(const ImportPlan& plan, registry::RegistryClient& client, const PushOptions& options,
               FailedPlacements& failed) {
  Failures failures(failed, options.keep_going);
  task::for_each_bounded(std::span(plan.tags), options.jobs, options.stop, [&](const TagStep& step) {
    if (step.unchanged() || failures.all_failed({step.image})) return;
    const Placement& placement = plan.placements[step.image];
    const transport::ManifestDocument& root = placement.graph.root();
    failures.run([&] { return std::vector{step.image}; },
                 [&] {
                   diag::with_context([&] { return "tagging " + step.target.str(); },
                                      [&] {
                                        client.put_manifest(placement.repository, *step.target.tag,
                                                            *root.bytes, root.descriptor.media_type);
                                      });
                 });
  });
}

}  // namespace airgap::importer
