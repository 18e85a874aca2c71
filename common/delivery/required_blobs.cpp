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
        const auto place = required.blobs.find(blob.digest);
        if (place == required.blobs.end()) continue;
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

/// Asks the registry, so often and no more.
class Search {
 public:
  Search(registry::RegistryClient& client, const SurveyOptions& options)
      : m_client(client), m_options(options) {}

  /// Where each of `wanted` is, if it is in one of these or where it was seen. Takes what is found out.
  std::map<hash::Digest, registry::Repository> find(std::vector<Wanted>& wanted,
                                                    const std::set<registry::Repository>& repositories) {
    task::Guarded<std::map<hash::Digest, registry::Repository>> found;
    for_each(wanted, [&](const Wanted& blob) {
      if (auto repository = place_of(blob, repositories))
        found.with([&](auto& all) { all.emplace(blob.digest, std::move(*repository)); });
    });
    auto places = found.with([](auto& all) { return std::move(all); });
    std::erase_if(wanted, [&](const Wanted& blob) { return places.contains(blob.digest); });
    for (Wanted& blob : wanted) {
      if (blob.seen_in) blob.asked.insert(*std::exchange(blob.seen_in, std::nullopt));
    }
    return places;
  }

  /// Those in which one of `images` is.
  std::set<registry::Repository> holders_of(const std::vector<image::Reference>& images) {
    task::Guarded<std::set<registry::Repository>> holders;
    for_each(images, [&](const image::Reference& image) {
      registry::Repository repository{image.registry, image.repository};
      if (holders.with([&](const auto& all) { return all.contains(repository); })) return;
      const std::string reference = image.tag ? *image.tag : image.digest->str();
      if (ask([&] { return m_client.head_manifest(repository, reference).has_value(); }))
        holders.with([&](auto& all) { all.insert(std::move(repository)); });
    });
    return holders.with([](auto& all) { return std::move(all); });
  }

  bool gave_up() const noexcept { return m_questions < 0; }

 private:
  template <class Values, class Body>
  void for_each(const Values& values, Body&& body) {
    if (m_options.begin) m_options.begin(values.size());
    task::for_each_bounded(std::span(values), m_options.jobs, m_options.stop, [&](const auto& value) {
      body(value);
      if (m_options.asked) m_options.asked();
    });
  }

  template <class Question>
  bool ask(Question&& question) {
    if (--m_questions < 0) return false;
    try {
      return question();
    } catch (const diag::CredentialsError&) {
      return false;  // what may not be read cannot be mounted from
    }
  }

  std::optional<registry::Repository> place_of(const Wanted& wanted,
                                               const std::set<registry::Repository>& repositories) {
    const auto has = [&](const registry::Repository& repository) {
      return !wanted.asked.contains(repository) &&
             ask([&] { return m_client.has_blob(repository, wanted.digest); });
    };
    if (wanted.seen_in && has(*wanted.seen_in)) return wanted.seen_in;
    for (const registry::Repository& repository : repositories) {
      if (repository != wanted.seen_in && has(repository)) return repository;
    }
    return std::nullopt;
  }

  registry::RegistryClient& m_client;
  const SurveyOptions& m_options;
  std::atomic<std::int64_t> m_questions = k_most_questions;  // left
};

}  // namespace

void look_elsewhere(const std::vector<Placement>& placements, const RequiredBlobs& required,
                    registry::RegistryClient& client, const SurveyOptions& options,
                    RegistryContent& content) {
  std::vector<Wanted> wanted = not_found(placements, required, content);
  if (wanted.empty()) return;
  Search search(client, options);
  const std::set<registry::Repository> filled = filled_repositories(content);
  content.elsewhere = search.find(wanted, filled);
  if (!wanted.empty() && !required.base.empty()) {
    std::set<registry::Repository> holders = search.holders_of(required.base);
    std::erase_if(holders, [&](const auto& repository) { return filled.contains(repository); });
    content.elsewhere.merge(search.find(wanted, holders));
  }
  if (search.gave_up()) {
    diag::log(
        "survey", diag::LogLevel::warning,
        fmt::format("{} questions did not find all that the delta requires, and no more are asked: what "
                    "is called missing may lie in a repository that was not asked",
                    k_most_questions));
  }
}

}  // namespace airgap::delivery
