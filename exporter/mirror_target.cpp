#include "exporter/mirror_target.hpp"

#include <utility>

#include "common/delivery/targets.hpp"

namespace airgap::exporter {
namespace {

std::optional<bundle::Image> ask(const image::Reference& source, const image::Reference& target,
                                 registry::RegistryClient& client) {
  const registry::Repository repository{target.registry, target.repository};
  client.expect_push(repository);
  const auto head = client.head_manifest(repository, target.tag ? *target.tag : target.digest->str());
  if (!head) return std::nullopt;
  return bundle::Image{.name = source,
                       .digest = head->digest,
                       .media_type = head->media_type,
                       .size = head->size,
                       .source_digest = head->digest,
                       .platforms = {},
                       .bytes = 0,
                       .target = {},
                       .subject = {},
                       .platform_choice = {},
                       .unique_bytes = 0};
}

}  // namespace

MirrorTarget::MirrorTarget(registry::RegistryClient& client, image::Mapping names,
                           image::RegistryTarget where)
    : m_client(client), m_names(std::move(names)), m_where(std::move(where)) {}

image::Reference MirrorTarget::target_of(const image::Reference& source) const {
  return delivery::checked_target(source, m_where, [&] { return m_names.target(source, m_where); });
}

KnownImages MirrorTarget::known() {
  return {.find = [this](const image::Reference& source) { return find(source); },
          .manifest = [this](const hash::Digest& digest) { return read_known(digest); },
          .whole = true};
}

delivery::KnownTags MirrorTarget::tags() const {
  return m_known.with([](const Known& known) {
    delivery::KnownTags tags;
    for (const auto& [source, answer] : known.answers) {
      if (!answer.target.tag) continue;
      tags.emplace(answer.target, answer.image ? std::optional(answer.image->digest) : std::nullopt);
    }
    return tags;
  });
}

const bundle::Image* MirrorTarget::find(const image::Reference& source) {
  const auto image_of = [](const Answer& answer) { return answer.image ? &*answer.image : nullptr; };
  const Answer* earlier = m_known.with([&](const Known& known) {
    const auto found = known.answers.find(source);
    return found == known.answers.end() ? nullptr : &found->second;
  });
  if (earlier != nullptr) return image_of(*earlier);
  Answer answer{target_of(source), {}};
  answer.image = ask(source, answer.target, m_client);
  return m_known.with([&](Known& known) {
    if (answer.image) {
      known.places.emplace(answer.image->digest,
                           registry::Repository{answer.target.registry, answer.target.repository});
    }
    return image_of(known.answers.try_emplace(source, std::move(answer)).first->second);
  });
}

std::optional<std::string> MirrorTarget::read_known(const hash::Digest& digest) {
  const auto place = m_known.with([&](const Known& known) -> std::optional<registry::Repository> {
    const auto found = known.places.find(digest);
    return found == known.places.end() ? std::nullopt : std::optional(found->second);
  });
  if (!place) return std::nullopt;
  auto manifest = m_client.get_manifest(*place, digest.str());
  return manifest ? std::optional(std::move(manifest->bytes)) : std::nullopt;
}

}  // namespace airgap::exporter
