#include "importer/survey.hpp"

#include <utility>

#include "common/task/for_each.hpp"
#include "common/task/guarded.hpp"

namespace airgap::importer {
namespace {

enum class Kind { blob, manifest, tag };

struct Question {
  Kind kind;
  RegistryContent::Key key;
  const image::Reference* tag = nullptr;  // of a tag
};

std::vector<Question> questions(const std::vector<Placement>& placements) {
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
    if (placement.target.tag) {
      list.push_back({Kind::tag, {placement.repository, placement.image.digest}, &placement.target});
    }
  }
  return list;
}

}  // namespace

RegistryContent survey(const std::vector<Placement>& placements, registry::RegistryClient& client,
                       const SurveyOptions& options) {
  for (const Placement& placement : placements) client.expect_push(placement.repository);
  const std::vector<Question> list = questions(placements);
  if (options.begin) options.begin(list.size());
  task::Guarded<RegistryContent> content;
  task::for_each_bounded(std::span(list), options.jobs, options.stop, [&](const Question& question) {
    const auto& [repository, digest] = question.key;
    if (question.kind == Kind::blob) {
      if (client.has_blob(repository, digest))
        content.with([&](auto& all) { all.blobs.insert(question.key); });
    } else if (question.kind == Kind::manifest) {
      if (client.head_manifest(repository, digest.str())) {
        content.with([&](auto& all) { all.manifests.insert(question.key); });
      }
    } else if (const auto head = client.head_manifest(repository, *question.tag->tag)) {
      content.with([&](auto& all) { all.tags.insert_or_assign(*question.tag, head->digest); });
    }
    if (options.asked) options.asked();
  });
  return content.with([](RegistryContent& all) { return std::move(all); });
}

}  // namespace airgap::importer
