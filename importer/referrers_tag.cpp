#include "importer/referrers_tag.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "common/image/index.hpp"
#include "common/image/manifest.hpp"
#include "common/image/media_type.hpp"

namespace airgap::importer {
namespace {

struct Subject {
  std::vector<image::Descriptor> referrers;
  std::vector<std::size_t> images;  ///< placements
};
using Key = std::pair<registry::Repository, hash::Digest>;

std::string tag_of(const hash::Digest& subject) {
  return fmt::format("{}-{}", hash::name(subject.algorithm()), subject.hex());
}

// How an index of referrers lists a manifest: its type, artifact type and annotations, as the API would.
std::optional<std::pair<hash::Digest, image::Descriptor>> referrer(
    const transport::ManifestDocument& document) {
  const auto parsed = image::parse_manifest(*document.bytes, {}, document.descriptor.media_type);
  const image::Manifest* manifest = parsed.image();
  const auto& subject = manifest != nullptr ? manifest->subject : parsed.index()->subject;
  if (!subject) return std::nullopt;
  image::Descriptor entry{document.descriptor.media_type, document.descriptor.digest,
                          document.descriptor.size};
  entry.artifact_type = manifest != nullptr ? manifest->artifact_type : parsed.index()->artifact_type;
  if (!entry.artifact_type && manifest != nullptr && manifest->config)
    entry.artifact_type = manifest->config->media_type;
  entry.annotations = manifest != nullptr ? manifest->annotations : parsed.index()->annotations;
  return std::pair{subject->digest, std::move(entry)};
}

std::map<Key, Subject> subjects(const ImportPlan& plan, const FailedPlacements& failed) {
  std::set<std::pair<registry::Repository, std::string>> brought;  // indexes that are in the bundle
  for (const Placement& placement : plan.placements) {
    if (placement.target.tag) brought.emplace(placement.repository, *placement.target.tag);
  }
  std::map<Key, Subject> found;
  for (std::size_t i = 0; i < plan.placements.size(); ++i) {
    const Placement& placement = plan.placements[i];
    if (!placement.image.subject || placement.target.tag || failed.contains(i)) continue;
    auto entry = referrer(placement.graph.root());
    if (!entry || brought.contains({placement.repository, tag_of(entry->first)})) continue;
    Subject& subject = found[{placement.repository, entry->first}];
    subject.referrers.push_back(std::move(entry->second));
    subject.images.push_back(i);
  }
  return found;
}

void update(const Key& key, const Subject& subject, registry::RegistryClient& client) {
  const auto& [repository, digest] = key;
  if (client.referrers(repository, digest)) return;  // the registry keeps the list itself
  image::Index index{.media_type = std::string(image::k_oci_index)};
  if (const auto existing = client.get_manifest(repository, tag_of(digest))) {
    const auto parsed = image::parse_manifest(existing->bytes, existing->descriptor.media_type, {});
    if (parsed.index() != nullptr) index = *parsed.index();
  }
  bool changed = false;
  for (const image::Descriptor& entry : subject.referrers) {
    const bool listed =
        std::any_of(index.manifests.begin(), index.manifests.end(),
                    [&](const image::Descriptor& known) { return known.digest == entry.digest; });
    if (listed) continue;
    index.manifests.push_back(entry);
    changed = true;
  }
  if (!changed) return;
  client.put_manifest(repository, tag_of(digest), image::write_index(index, index.manifests),
                      index.media_type);
}

}  // namespace

void update_referrers_tags(const ImportPlan& plan, registry::RegistryClient& client,
                           const PushOptions& options, FailedPlacements& failed) {
  for (const auto& [key, subject] : subjects(plan, failed)) {
    if (options.stop.stop_requested()) throw diag::Interrupted();
    try {
      diag::with_context([&] { return "listing the referrers of " + key.second.str(); },
                         [&] { update(key, subject, client); });
    } catch (const diag::Interrupted&) {
      throw;
    } catch (const diag::Error& error) {
      if (!options.keep_going) throw;
      for (const std::size_t image : subject.images) failed.emplace(image, error);
    }
  }
}

}  // namespace airgap::importer
