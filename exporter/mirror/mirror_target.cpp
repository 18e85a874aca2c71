#include "exporter/mirror/mirror_target.hpp"

#include <utility>

#include "common/delivery/targets.hpp"
#include "common/image/companions.hpp"

namespace airgap::exporter {
namespace {

constexpr std::size_t k_max_depth = 4;  // of signatures of signatures; a lock may name each other

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
                           image::RegistryTarget where, const std::vector<Wanted>& selected)
    : m_client(client), m_names(std::move(names)), m_where(std::move(where)) {
  std::map<std::pair<registry::Repository, hash::Digest>, image::Reference> holders;
  const auto repository_of = [](const image::Reference& name) {
    return registry::Repository{name.registry, name.repository};
  };
  for (const Wanted& image : selected) {
    if (!image.pin) continue;
    m_locked.emplace(image.name, image.pin->target);
    holders.try_emplace({repository_of(image.name), image.pin->source}, image.name);
    holders.try_emplace({repository_of(image.name), image.pin->carried}, image.name);
  }
  for (const Wanted& image : selected) {
    if (!image.pin || !image.pin->subject) continue;
    const auto holder = holders.find({repository_of(image.name), *image.pin->subject});
    if (holder != holders.end() && holder->second != image.name)
      m_accompanied.emplace(image.name, holder->second);
  }
}

std::string MirrorTarget::inside(const image::Reference& source) const {
  const auto locked = m_locked.find(source);
  if (locked == m_locked.end()) return m_names.inside(source);
  return m_names.by_rule(source).value_or(locked->second);
}

image::Reference MirrorTarget::target_of(const image::Reference& source,
                                         const image::Reference* accompanied) const {
  const auto place = [&](const image::Reference& name) {
    return delivery::checked_target(name, m_where, [&] { return m_where.place(inside(name)); });
  };
  const image::Reference* last = accompanied != nullptr ? accompanied : &source;
  for (std::size_t depth = 0; depth < k_max_depth; ++depth) {
    const auto locked = m_accompanied.find(*last);
    if (locked == m_accompanied.end()) break;
    last = &locked->second;
  }
  return last == &source ? place(source) : image::beside(place(source), place(*last));
}

image::Reference MirrorTarget::target_of(const PinnedImage& image) const {
  if (!image.wanted) return target_of(image.name, image.accompanies ? &*image.accompanies : nullptr);
  return delivery::checked_target(image.name, m_where, [&] {
    return m_where.place(m_names.by_rule(image.name).value_or(image.target.value_or(std::string{})));
  });
}

KnownImages MirrorTarget::known() {
  return {.find = [this](const image::Reference& source,
                         const image::Reference* accompanied) { return find(source, accompanied); },
          .manifest = [this](const hash::Digest& digest) { return read_known(digest); },
          .whole = true};
}

delivery::KnownTags MirrorTarget::tags() const {
  return m_known.with([](const Known& known) {
    delivery::KnownTags tags;
    for (const auto& [names, image] : known.answers) {
      const image::Reference& target = names.first;
      if (target.tag) tags.emplace(target, image ? std::optional(image->digest) : std::nullopt);
    }
    return tags;
  });
}

const bundle::Image* MirrorTarget::find(const image::Reference& source, const image::Reference* accompanied) {
  const auto pointer = [](const std::optional<bundle::Image>& image) { return image ? &*image : nullptr; };
  const std::pair names(target_of(source, accompanied), source);
  const std::optional<bundle::Image>* earlier = m_known.with([&](const Known& known) {
    const auto found = known.answers.find(names);
    return found == known.answers.end() ? nullptr : &found->second;
  });
  if (earlier != nullptr) return pointer(*earlier);
  auto answer = ask(source, names.first, m_client);
  return m_known.with([&](Known& known) {
    if (answer) {
      known.places.emplace(answer->digest,
                           registry::Repository{names.first.registry, names.first.repository});
    }
    return pointer(known.answers.try_emplace(names, std::move(answer)).first->second);
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
