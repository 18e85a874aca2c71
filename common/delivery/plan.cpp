#include "common/delivery/plan.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "common/delivery/subjects.hpp"
#include "common/image/manifest.hpp"
#include "common/image/media_type.hpp"

namespace airgap::delivery {
namespace {

struct Need {
  image::Descriptor blob;
  std::optional<registry::Repository> source;  // in the target registry
  std::set<registry::Repository> repositories;
  std::vector<std::size_t> images;
};

std::map<hash::Digest, Need> needs_of(const std::vector<Placement>& placements) {
  std::map<hash::Digest, Need> needs;
  for (std::size_t i = 0; i < placements.size(); ++i) {
    for (const auto* blobs : {&placements[i].graph.configs, &placements[i].graph.layers}) {
      for (const image::Descriptor& blob : *blobs) {
        Need& need = needs.try_emplace(blob.digest, Need{blob, {}, {}, {}}).first->second;
        const auto& from = placements[i].from;
        if (from && from->registry == placements[i].repository.registry) need.source = from;
        need.repositories.insert(placements[i].repository);
        need.images.push_back(i);
      }
    }
  }
  return needs;
}

BlobStep step_for(const Need& need, const RegistryContent& content, const RequiredBlobs& required) {
  BlobStep step{.blob = need.blob, .from = {}, .missing = {}, .images = need.images};
  for (const registry::Repository& repository : need.repositories) {
    if (!content.blobs.contains({repository, need.blob.digest})) {
      step.missing.push_back(repository);
    } else if (!step.from) {
      step.from = repository;
    }
  }
  step.carried = !required.contains(need.blob.digest);
  const auto elsewhere = content.elsewhere.find(need.blob.digest);
  if (!step.from && elsewhere != content.elsewhere.end()) step.from = elsewhere->second;
  if (!step.from) step.from = need.source;
  return step;
}

void plan_blobs(Plan& plan, const RegistryContent& content, const RequiredBlobs& required) {
  for (const auto& [digest, need] : needs_of(plan.placements)) {
    BlobStep step = step_for(need, content, required);
    plan.there_bytes += need.blob.size * (need.repositories.size() - step.missing.size());
    if (step.missing.empty()) {
      plan.present_bytes += need.blob.size;
      continue;
    }
    if (!step.carried && !step.from) {
      plan.missing.push_back({need.blob, need.images});
      continue;
    }
    if (step.upload()) plan.upload_bytes += need.blob.size;
    plan.mount_bytes += need.blob.size * (step.missing.size() - (step.upload() ? 1 : 0));
    plan.blobs.push_back(std::move(step));
  }
  std::stable_sort(plan.blobs.begin(), plan.blobs.end(),
                   [](const BlobStep& a, const BlobStep& b) { return a.blob.size > b.blob.size; });
}

// An image manifest is level 0; an index stands one above its highest child.
std::size_t level_of(const transport::ManifestDocument& document,
                     const std::map<hash::Digest, std::size_t>& levels) {
  if (image::manifest_kind(document.descriptor.media_type) != image::ManifestKind::index) return 0;
  const auto parsed = image::parse_manifest(*document.bytes, {}, document.descriptor.media_type);
  std::size_t level = 1;
  for (const image::Descriptor& child : parsed.index()->manifests) {
    const auto found = levels.find(child.digest);
    if (found != levels.end()) level = std::max(level, found->second + 1);
  }
  return level;
}

void plan_manifests(Plan& plan, const RegistryContent& content) {
  std::map<RegistryContent::Key, std::size_t> places;  // in plan.manifests
  std::map<hash::Digest, std::size_t> levels;
  for (std::size_t i = 0; i < plan.placements.size(); ++i) {
    const Placement& placement = plan.placements[i];
    for (const transport::ManifestDocument& document : placement.graph.manifests) {
      const RegistryContent::Key key{placement.repository, document.descriptor.digest};
      if (!levels.contains(key.second)) levels.emplace(key.second, level_of(document, levels));
      if (content.manifests.contains(key)) continue;
      const auto [place, is_new] = places.try_emplace(key, plan.manifests.size());
      if (is_new) {
        plan.manifests.push_back({placement.repository, document, levels.at(key.second), {}});
      }
      plan.manifests[place->second].images.push_back(i);
    }
  }
  std::stable_sort(plan.manifests.begin(), plan.manifests.end(),
                   [](const ManifestStep& a, const ManifestStep& b) { return a.level < b.level; });
}

void plan_tags(Plan& plan, const RegistryContent& content) {
  for (std::size_t i = 0; i < plan.placements.size(); ++i) {
    const Placement& placement = plan.placements[i];
    if (!placement.target.tag || placement.in_place()) continue;
    TagStep step{.image = i, .target = placement.target, .digest = placement.digest, .before = {}};
    const auto found = content.tags.find(placement.target);
    if (found != content.tags.end()) step.before = found->second;
    plan.tags.push_back(std::move(step));
  }
}

// Manifests of images whose tag this run moves.
std::set<RegistryContent::Key> newly_tagged(const Plan& plan) {
  std::set<RegistryContent::Key> keys;
  for (const TagStep& tag : plan.tags) {
    if (tag.unchanged()) continue;
    const Placement& placement = plan.placements[tag.image];
    for (const auto& document : placement.graph.manifests)
      keys.emplace(placement.repository, document.descriptor.digest);
  }
  return keys;
}

// A list that is there is trusted to be complete unless something of its subject is pushed now: then it may
// be that an earlier run stopped between the referrer and the list.
void plan_referrers(Plan& plan, const RegistryContent& content) {
  if (content.keeps_referrers) return;
  const std::set<RegistryContent::Key> tagged = newly_tagged(plan);
  for (auto& [key, subject] : referred_subjects(plan.placements)) {
    const auto& [repository, digest] = key;
    const bool exists = content.referrers_tags.contains(key);
    const bool pushed = std::any_of(subject.referrers.begin(), subject.referrers.end(),
                                    [&, &to = repository](const auto& referrer) {
                                      return !content.manifests.contains({to, referrer.digest});
                                    });
    if (exists && !pushed && !tagged.contains(key)) continue;
    plan.referrers.push_back({repository, digest, subject.referrers, subject.images, exists});
  }
}

}  // namespace

bool Plan::nothing_to_do() const {
  return missing.empty() && blobs.empty() && manifests.empty() && referrers.empty() &&
         std::all_of(tags.begin(), tags.end(), [](const TagStep& tag) { return tag.unchanged(); });
}

std::vector<bool> Plan::touched() const {
  std::vector<bool> images(placements.size(), false);
  const auto touch = [&](const auto& steps) {
    for (const auto& step : steps) {
      for (const std::size_t image : step.images) images[image] = true;
    }
  };
  for (const BlobStep& step : blobs) {
    for (const std::size_t image : step.images) {
      if (step.lacked_by(placements[image].repository)) images[image] = true;
    }
  }
  touch(manifests);
  touch(referrers);
  for (const TagStep& step : tags) {
    if (!step.unchanged()) images[step.image] = true;
  }
  return images;
}

bool BlobStep::lacked_by(const registry::Repository& repository) const {
  return std::find(missing.begin(), missing.end(), repository) != missing.end();
}

std::uint64_t Plan::step_bytes() const {
  return std::accumulate(blobs.begin(), blobs.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const BlobStep& step) { return sum + step.blob.size; });
}

std::vector<ImageBytes> Plan::bytes_by_image() const {
  std::vector<ImageBytes> bytes(placements.size());
  for (std::size_t i = 0; i < placements.size(); ++i) {
    for (const auto* all : {&placements[i].graph.configs, &placements[i].graph.layers}) {
      for (const image::Descriptor& blob : *all) bytes[i].present += blob.size;
    }
    if (placements[i].in_place()) bytes[i].present = placements[i].bytes;
  }
  for (const MissingBlob& step : missing) {
    for (const std::size_t i : step.images) bytes[i].present -= step.blob.size;
  }
  for (const BlobStep& step : blobs) {
    for (const std::size_t i : step.images) {
      const registry::Repository& place = placements[i].repository;
      if (!step.lacked_by(place)) continue;
      const bool sent = step.upload() && place == step.missing.front();
      bytes[i].present -= step.blob.size - (sent ? step.kept : 0);
      (sent ? bytes[i].upload : bytes[i].mount) += step.blob.size - (sent ? step.kept : 0);
    }
  }
  return bytes;
}

Plan make_plan(std::vector<Placement> placements, const RegistryContent& content,
               const RequiredBlobs& required) {
  Plan plan;
  plan.placements = std::move(placements);
  for (const auto& [digest, seen_in] : required.blobs) plan.required.insert(digest);
  plan_blobs(plan, content, required);
  plan_manifests(plan, content);
  plan_tags(plan, content);
  plan_referrers(plan, content);
  return plan;
}

}  // namespace airgap::delivery
