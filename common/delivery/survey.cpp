#include "common/delivery/survey.hpp"

#include <utility>

#include "common/delivery/subjects.hpp"
#include "common/task/for_each.hpp"
#include "common/task/guarded.hpp"

namespace airgap::delivery {
namespace {

enum class Kind { blob, manifest, tag, referrers_tag };

struct Question {
  Kind kind;
  RegistryContent::Key key;
  const image::Reference* tag = nullptr;  // of a tag
};

std::vector<Question> questions(const std::vector<Placement>& placements, const KnownTags& known) {
  std::set<RegistryContent::Key> seen;
  std::vector<Question> list;
  const auto ask = [&](Kind kind, const Placement& placement, const hash::Digest& digest) {
    RegistryContent::Key key{placement.repository, digest};
    if (seen.insert(key).second) list.push_back({kind, std::move(key)});
  };
  for (const Placement& placement : placements) {
    for (const auto& blob : placement.graph.configs) ask(Kind::blob, placement, blob.digest);
    for (const auto& blob : placement.graph.layers) ask(Kind::blob, placement, blob.digest);
    for (const auto& manifest : placement.graph.manifests)
      ask(Kind::manifest, placement, manifest.descriptor.digest);
    if (placement.target.tag && !known.contains(placement.target)) {
      list.push_back({Kind::tag, {placement.repository, placement.digest}, &placement.target});
    }
  }
  return list;
}

void answer(const Question& question, registry::RegistryClient& client,
            task::Guarded<RegistryContent>& content) {
  const auto& [repository, digest] = question.key;
  const auto add = [&](std::set<RegistryContent::Key> RegistryContent::*set, bool there) {
    if (there) content.with([&](RegistryContent& all) { (all.*set).insert(question.key); });
  };
  switch (question.kind) {
    case Kind::blob:
      return add(&RegistryContent::blobs, client.has_blob(repository, digest));
    case Kind::manifest:
      return add(&RegistryContent::manifests, client.head_manifest(repository, digest.str()).has_value());
    case Kind::referrers_tag:
      return add(&RegistryContent::referrers_tags,
                 client.head_manifest(repository, referrers_tag(digest)).has_value());
    case Kind::tag:
      if (const auto head = client.head_manifest(repository, *question.tag->tag)) {
        content.with([&](RegistryContent& all) { all.tags.insert_or_assign(*question.tag, head->digest); });
      }
  }
}

}  // namespace

RegistryContent survey(const std::vector<Placement>& placements, registry::RegistryClient& client,
                       const SurveyOptions& options) {
  if (options.to_push) {
    for (const Placement& placement : placements) client.expect_push(placement.repository);
  }
  std::vector<Question> list = questions(placements, options.tags);
  RegistryContent found;
  for (const auto& [tag, digest] : options.tags) {
    if (digest) found.tags.emplace(tag, *digest);
  }
  for (const Placement& placement : placements) {
    if (placement.in_place()) found.manifests.emplace(placement.repository, placement.digest);
  }
  if (const auto subjects = referred_subjects(placements); !subjects.empty()) {
    const auto& [repository, digest] = subjects.begin()->first;
    found.keeps_referrers = client.referrers(repository, digest).has_value();
    if (!found.keeps_referrers) {
      for (const auto& [key, subject] : subjects) list.push_back({Kind::referrers_tag, key});
    }
  }
  if (options.begin) options.begin(list.size());
  task::Guarded<RegistryContent> content(std::move(found));
  task::for_each_bounded(std::span(list), options.jobs, options.stop, [&](const Question& question) {
    answer(question, client, content);
    if (options.asked) options.asked();
  });
  return content.with([](RegistryContent& all) { return std::move(all); });
}

}  // namespace airgap::delivery
