#include "importer/plan.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "common/image/manifest.hpp"
#include "common/image/media_type.hpp"

namespace airgap::importer {
namespace {

struct Need {
  image::Descriptor blob;
  std::set<registry::Repository> repositories;
  std::vector<std::size_t> images;
};

std::map<hash::Digest, Need> needs_of(const std::vector<Placement>& placements) {
  std::map<hash::Digest, Need> needs;
  for (std::size_t i = 0; i < placements.size(); ++i) {
    for (const auto* blobs : {&placements[i].graph.configs, &placements[i].graph.layers}) {
      for (const image::Descriptor& blob : *blobs) {
        Need& need = needs.try_emplace(blob.digest, Need{blob, {}, {}}).first->second;
        need.repositories.insert(placements[i].repository);
        need.images.push_back(i);
      }
    }
  }
  return needs;
}

BlobStep step_for(const Need& need, const RegistryContent& content) {
  BlobStep step{.blob = need.blob, .from = {}, .missing = {}, .images = need.images};
  for (const registry::Repository& repository : need.repositories) {
    if (!content.blobs.contains({repository, need.blob.digest})) {
      step.missing.push_back(repository);
    } else if (!step.from) {
      step.from = repository;
    }
  }
  return step;
}

void plan_blobs(ImportPlan& plan, const RegistryContent& content, const std::vector<bundle::Blob>& order) {
  const auto needs = needs_of(plan.placements);
  for (const bundle::Blob& blob : order) {
    const auto need = needs.find(blob.digest);
    if (need == needs.end()) continue;
    BlobStep step = step_for(need->second, content);
    if (step.missing.empty()) {
      plan.present_bytes += blob.size;
      continue;
    }
    (step.upload() ? plan.upload_bytes : plan.mount_bytes) += blob.size;
    plan.blobs.push_back(std::move(step));
  }
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

void plan_manifests(ImportPlan& plan, const RegistryContent& content) {
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

void plan_tags(ImportPlan& plan, const RegistryContent& content) {
  for (std::size_t i = 0; i < plan.placements.size(); ++i) {
    const Placement& placement = plan.placements[i];
    if (!placement.target.tag) continue;
    TagStep step{.image = i, .target = placement.target, .digest = placement.image.digest, .before = {}};
    const auto found = content.tags.find(placement.target);
    if (found != content.tags.end()) step.before = found->second;
    plan.tags.push_back(std::move(step));
  }
}

}  // namespace

bool ImportPlan::nothing_to_do() const {
  return blobs.empty() && manifests.empty() &&
         std::all_of(tags.begin(), tags.end(), [](const TagStep& tag) { return tag.unchanged(); });
}

ImportPlan make_plan(std::vector<Placement> placements, const RegistryContent& content,
                     const std::vector<bundle::Blob>& order) {
  ImportPlan plan;
  plan.placements = std::move(placements);
  plan_blobs(plan, content, order);
  plan_manifests(plan, content);
  plan_tags(plan, content);
  return plan;
}

}  // namespace airgap::importer
