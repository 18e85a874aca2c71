#include "exporter/mirror/mirror_prune.hpp"

#include <fmt/format.h>

#include <set>

#include "common/delivery/subjects.hpp"
#include "common/diag/log.hpp"

namespace airgap::exporter {
namespace {

constexpr char k_any_tag = '_';  // a name that no rule for a single tag has

using Repositories = std::set<registry::Repository>;

// Where the tags of whole repositories go, those with a name of their own left aside: source -> target.
std::map<registry::Repository, registry::Repository> places_of(const std::vector<WantedTags>& whole,
                                                               const MirrorTarget& target) {
  std::map<registry::Repository, registry::Repository> places;
  for (const WantedTags& wanted : whole) {
    image::Reference any = wanted.repository;
    any.tag.emplace(1, k_any_tag);
    const image::Reference to = target.target_of(any);
    places.insert_or_assign({any.registry, any.repository}, registry::Repository{to.registry, to.repository});
  }
  return places;
}

Repositories prunable(const std::map<registry::Repository, registry::Repository>& places,
                      const std::vector<delivery::Placement>& placements, bool emptied) {
  Repositories filled;
  Repositories shared;
  if (emptied) {
    for (const auto& [from, to] : places) filled.insert(to);
  }
  for (const delivery::Placement& placement : placements) {
    const auto place = placement.from ? places.find(*placement.from) : places.end();
    const bool general = place != places.end() && place->second == placement.repository;
    if (general && !placement.subject) filled.insert(placement.repository);
    if (!general) shared.insert(placement.repository);
  }
  for (const registry::Repository& repository : shared) {
    if (filled.erase(repository) == 0) continue;
    diag::log(
        "mirror", diag::LogLevel::warning,
        fmt::format("{} is not pruned: images go there that were selected one by one", repository.str()));
  }
  return filled;
}

bool accompanies(const std::string& tag) {
  return tag.starts_with("sha256-") || tag.starts_with("sha512-");
}

std::vector<StaleTag> stale_tags_of(const registry::Repository& repository, const std::set<std::string>& kept,
                                    const std::set<hash::Digest>& selected,
                                    registry::RegistryClient& client) {
  std::vector<StaleTag> stale;
  const auto add = [&](const std::string& tag) {
    const auto head = client.head_manifest(repository, tag);
    if (head) stale.push_back({tag, head->digest});
  };
  const auto tags = client.list_tags(repository).value_or(std::vector<std::string>{});
  for (const std::string& tag : tags) {
    if (!kept.contains(tag) && !accompanies(tag)) add(tag);
  }
  std::set<std::string> gone;
  for (const StaleTag& tag : stale) {
    if (!selected.contains(tag.digest)) gone.insert(delivery::referrers_tag(tag.digest));
  }
  for (const std::string& tag : tags) {
    if (!kept.contains(tag) && accompanies(tag) && gone.contains(tag.substr(0, tag.find('.')))) add(tag);
  }
  return stale;
}

}  // namespace

StaleTags find_stale_tags(const std::vector<WantedTags>& whole,
                          const std::vector<delivery::Placement>& placements, bool emptied,
                          const MirrorTarget& target, registry::RegistryClient& client) {
  StaleTags all;
  for (const registry::Repository& repository : prunable(places_of(whole, target), placements, emptied)) {
    std::set<std::string> kept;
    std::set<hash::Digest> selected;
    for (const delivery::Placement& placement : placements) {
      if (placement.repository != repository) continue;
      if (placement.target.tag) kept.insert(*placement.target.tag);
      selected.insert(placement.digest);
      for (const auto& document : placement.graph.manifests) selected.insert(document.descriptor.digest);
    }
    auto stale = stale_tags_of(repository, kept, selected, client);
    if (!stale.empty()) all.emplace(repository, std::move(stale));
  }
  return all;
}

}  // namespace airgap::exporter
