#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <utility>
#include <vector>

#include "common/registry/registry_client.hpp"
#include "importer/map.hpp"

namespace airgap::importer {

/// Content of the target registry, as far as the placements touch it.
struct RegistryContent {
  using Key = std::pair<registry::Repository, hash::Digest>;
  std::set<Key> blobs;      ///< present ones
  std::set<Key> manifests;  ///< present ones
  std::map<image::Reference, hash::Digest>
      tags;  ///< what a target tag stands for now; absent ones are not in it
};

struct SurveyOptions {
  std::size_t jobs = 6;
  std::stop_token stop;
  std::function<void(std::uint64_t)> begin;  ///< told how many questions there are
  std::function<void()> asked;               ///< one was answered; from any thread
};

/// Asks the registry by HEAD alone, so that no pull is counted there.
RegistryContent survey(const std::vector<Placement>& placements, registry::RegistryClient& client,
                       const SurveyOptions& options);

}  // namespace airgap::importer
