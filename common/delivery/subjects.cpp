#include "common/delivery/subjects.hpp"

#include <fmt/format.h>

#include <optional>
#include <set>

#include "common/image/manifest.hpp"

namespace airgap::delivery {
namespace {

// How an index of referrers lists a manifest: its type, artifact type and annotations, as the API would.
std::optional<std::pair<hash::Digest, image::Descriptor>> referrer(
    const transport::ManifestDocument& document) {
  const auto parsed = image::parse_manifest(*document.bytes, {}, document.descriptor.media_type);
  const image::Manifest* manifest = parsed.image();
  const image::Index* index = parsed.index();
  if (manifest == nullptr && index == nullptr) return std::nullopt;
  const auto& subject = manifest != nullptr ? manifest->subject : index->subject;
  if (!subject) return std::nullopt;
  image::Descriptor entry{document.descriptor.media_type, document.descriptor.digest,
                          document.descriptor.size};
  entry.artifact_type = manifest != nullptr ? manifest->artifact_type : index->artifact_type;
  if (!entry.artifact_type && manifest != nullptr && manifest->config)
    entry.artifact_type = manifest->config->media_type;
  entry.annotations = manifest != nullptr ? manifest->annotations : index->annotations;
  return std::pair{subject->digest, std::move(entry)};
}

// The subject, and how its list shows this referrer.
std::optional<std::pair<hash::Digest, image::Descriptor>> listed(const Placement& placement) {
  if (!placement.in_place()) return referrer(placement.graph.root());
  if (!placement.referrer) return std::nullopt;
  return std::pair{*placement.subject, *placement.referrer};
}

}  // namespace

std::map<std::pair<registry::Repository, hash::Digest>, Subject> referred_subjects(
    const std::vector<Placement>& placements) {
  std::set<std::pair<registry::Repository, std::string>> brought;
  for (const Placement& placement : placements) {
    if (placement.target.tag) brought.emplace(placement.repository, *placement.target.tag);
  }
  std::map<std::pair<registry::Repository, hash::Digest>, Subject> found;
  for (std::size_t i = 0; i < placements.size(); ++i) {
    const Placement& placement = placements[i];
    if (!placement.subject || placement.target.tag) continue;
    auto entry = listed(placement);
    if (!entry || brought.contains({placement.repository, referrers_tag(entry->first)})) continue;
    Subject& subject = found[{placement.repository, entry->first}];
    subject.referrers.push_back(std::move(entry->second));
    subject.images.push_back(i);
  }
  return found;
}

std::string referrers_tag(const hash::Digest& subject) {
  return fmt::format("{}-{}", hash::name(subject.algorithm()), subject.hex());
}

}  // namespace airgap::delivery
