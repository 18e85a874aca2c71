#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <utility>
#include <vector>

#include "common/delivery/placement.hpp"
#include "common/registry/registry_client.hpp"

namespace airgap::delivery {

/// Content of the target registry, as far as the placements touch it.
struct RegistryContent {
  using Key = std::pair<registry::Repository, hash::Digest>;
  std::set<Key> blobs;      ///< present ones
  std::set<Key> manifests;  ///< present ones
  std::map<image::Reference, hash::Digest>
      tags;  ///< what a target tag stands for now; absent ones are not in it
  /// Blobs that the sender does not have and none of the placements' own repositories either, and where else
  /// in the registry they are.
  std::map<hash::Digest, registry::Repository> elsewhere;
  bool keeps_referrers = false;  ///< it has the referrers API, and so keeps the lists of referrers itself
  std::set<Key> referrers_tags;  ///< subjects for which it has a list of referrers under a tag
};

/// What target tags stand for, where that was asked already; nothing for those that are absent.
using KnownTags = std::map<image::Reference, std::optional<hash::Digest>>;

struct SurveyOptions {
  std::size_t jobs = 6;
  KnownTags tags{};
  std::stop_token stop;
  bool to_push = true;                       ///< the repositories are going to be written to
  std::function<void(std::uint64_t)> begin;  ///< told how many questions there are
  std::function<void()> asked;               ///< one was answered; from any thread
};

/// Asks the registry by HEAD alone, so that no pull is counted there; and once, when there are referrers,
/// whether it has the referrers API. A tag list would not save questions of an empty registry:
/// docker-registry answers NAME_UNKNOWN as well for a repository that has blobs and manifests and no tag yet,
/// as an interrupted push leaves it.
RegistryContent survey(const std::vector<Placement>& placements, registry::RegistryClient& client,
                       const SurveyOptions& options);

}  // namespace airgap::delivery
