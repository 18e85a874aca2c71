#include "common/delivery/required_blobs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <set>
#include <utility>

#include "common/diag/error.hpp"
#include "common/diag/log.hpp"
#include "common/task/for_each.hpp"
#include "common/task/guarded.hpp"

namespace airgap::delivery {
namespace {

/// A blob that everybody lacks is asked for everywhere: this bounds what a registry that was emptied costs.
constexpr std::int64_t k_most_questions = 20'000;

struct Wanted {
  hash::Digest digest;
  std::set<registry::Repository> asked;  // in vain
  std::optional<registry::Repository> seen_in;
};

std::vector<Wanted> not_found(const std::vector<Placement>& placements, const RequiredBlobs& required,
                              const RegistryContent& content) {
  std::map<hash::Digest, Wanted> wanted;
  std::set<hash::Digest> found;
  for (const Placement& placement : placements) {
    for (const auto* blobs : {&placement.graph.configs, &placement.graph.layers}) {
      for (const image::Descriptor& blob : *blobs) {
        const auto place = required.find(blob.digest);
        if (place == required.end()) continue;
        if (content.blobs.contains({placement.repository, blob.digest})) found.insert(blob.digest);
        auto& entry = wanted.try_emplace(blob.digest, Wanted{blob.digest, {}, place->second}).first->second;
        entry.asked.insert(placement.repository);
      }
    }
  }
  std::vector<Wanted> list;
  for (auto& [digest, entry] : wanted) {
    if (!found.contains(digest)) list.push_back(std::move(entry));
  }
  return list;
}

// Those of the placements that hold something already.
std::set<registry::Repository> filled_repositories(const RegistryContent& content) {
  std::set<registry::Repository> repositories;
  for (const auto* keys : {&content.blobs, &content.manifests}) {
    for (const auto& [repository, digest] : *keys) repositories.insert(repository);
  }
  for (const auto& [target, digest] : content.tags) {
    repositories.insert({target.registry, target.repository});
  }
  return repositories;
}

std::optional<registry::Repository> find(const Wanted& wanted, const std::set<registry::Repository>& filled,
                                         registry::RegistryClient& client,
                                         std::atomic<std::int64_t>& questions) {
  const auto has = [&](const registry::Repository& repository) {
    if (wanted.asked.contains(repository) || --questions < 0) return false;
    try {
      return client.has_blob(repository, wanted.digest);
    } catch (const diag::CredentialsError&) {
      return false;  // what may not be read cannot be mounted from
    }
  };
  if (wanted.seen_in && has(*wanted.seen_in)) return wanted.seen_in;
  for (const registry::Repository& repository : filled) {
    if (repository != wanted.seen_in && has(repository)) return repository;
  }
  return std::nullopt;
}

}  // namespace

void look_elsewhere(const std::vector<Placement>& placements, const RequiredBlobs& required,
                    registry::RegistryClient& client, const SurveyOptions& options,
                    RegistryContent& content) {
  const std::vector<Wanted> wanted = not_found(placements, required, content);
  if (wanted.empty()) return;
  const std::set<registry::Repository> filled = filled_repositories(content);
  if (options.begin) options.begin(wanted.size());
  std::atomic<std::int64_t> questions = k_most_questions;
  task::Guarded<std::map<hash::Digest, registry::Repository>> found;
  task::for_each_bounded(std::span(wanted), options.jobs, options.stop, [&](const Wanted& blob) {
    if (auto repository = find(blob, filled, client, questions)) {
      found.with([&](auto& all) { all.emplace(blob.digest, std::move(*repository)); });
    }
    if (options.asked) options.asked();
  });
  if (questions < 0) {
    diag::log(
        "survey", diag::LogLevel::warning,
        fmt::format("{} questions did not find all that the delta requires, and no more are asked: what "
                    "is called missing may lie in a repository that was not asked",
                    k_most_questions));
  }
  content.elsewhere = found.with([](auto& all) { return std::move(all); });
}

}  // namespace airgap::delivery
