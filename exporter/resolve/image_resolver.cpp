#include "exporter/resolve/image_resolver.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "common/diag/log.hpp"
#include "common/image/image_config.hpp"
#include "common/image/manifest.hpp"
#include "common/image/media_type.hpp"
#include "exporter/resolve/docker_entry.hpp"
#include "exporter/resolve/known_images.hpp"
#include "exporter/resolve/platform_choice.hpp"

namespace airgap::exporter {
namespace {

constexpr std::size_t k_max_accessory_depth = 4;  // a signature of an attestation of an image is three

registry::Repository repository_of(const image::Reference& name) {
  return {name.registry, name.repository};
}

[[noreturn]] void throw_missing(const image::Reference& name) {
  throw diag::NetworkError(
      fmt::format("{} does not exist in its registry", name.str()),
      "check the name and the tag; a private repository may also answer so without credentials");
}

// Whether `filter` would choose what is carried. A tree of skopeo's does not say how it was chosen; where it
// carries the very document that the tag stands for, the platforms do.
bool chosen_by(const bundle::Image& known, const image::PlatformFilter& filter) {
  if (!known.platform_choice.empty()) return known.platform_choice == filter.str();
  if (filter.all) return true;
  return image::manifest_kind(known.media_type) == image::ManifestKind::image &&
         std::all_of(known.platforms.begin(), known.platforms.end(),
                     [&](const image::Platform& platform) { return filter.matches(platform); });
}

[[noreturn]] void throw_bad_pin(const Pin& pin, const image::Reference& name, const std::string& why) {
  throw diag::UsageError(fmt::format("bad lock {}: of {} the platforms {} should give {}: {}", pin.lock,
                                     name.str(), pin.platforms.str(), pin.carried.str(), why),
                         "make it anew with airgap-export plan --lock FILE");
}

// A registry that cannot list or serve them fails the image, which would be incomplete; the operator may
// decide otherwise.
template <class Ask>
decltype(auto) ask_for_accessories(Ask&& ask) {
  try {
    return std::forward<Ask>(ask)();
  } catch (const diag::Interrupted&) {
    throw;
  } catch (diag::Error& error) {
    constexpr std::string_view k_way_out = "--no-referrers takes the image without its signatures and SBOMs";
    error.set_hint(error.hint().empty() ? std::string(k_way_out)
                                        : fmt::format("{}; {}", error.hint(), k_way_out));
    throw;
  }
}

}  // namespace

ImageResolver::ImageResolver(const Selection& selection, registry::RegistryClient& client, TagLists& tags,
                             const KnownImages& known)
    : m_selection(selection), m_client(client), m_tags(tags), m_known(known), m_manifests(client) {}

/// One walk over an image and what accompanies it.
struct ImageResolver::Visit {
  const image::Reference& name;
  registry::Repository repository;
  DocumentSource& documents;
  std::set<std::string> seen;  ///< names of accessories
  std::size_t depth = 0;
  bool has_api = false;                            ///< the registry listed referrers, if none
  bool mirror_lists_some = false;                  ///< so the mirrors' word on the others will do
  std::optional<registry::MirrorsKnowNone> doubt;  ///< about something that accompanies it
};

std::vector<PinnedImage> ImageResolver::resolve(const Wanted& wanted, bool referrers) {
  DocumentSource documents(m_client, m_manifests, repository_of(wanted.name), m_known);
  std::vector<PinnedImage> found;
  if (wanted.pin) {
    found.push_back(pin_locked(wanted.name, *wanted.pin, documents));
    return found;
  }
  found.push_back(pin(wanted.name, documents, m_selection.platforms.of(wanted.name), nullptr));
  if (!referrers) return found;

  Visit visit{.name = wanted.name,
              .repository = repository_of(wanted.name),
              .documents = documents,
              .seen = {},
              .depth = 0,
              .doubt = {}};
  const std::optional<image::Descriptor> in_place = found.front().in_place;
  std::set<hash::Digest> subjects{found.front().source_digest, found.front().root().digest};
  for (const auto& manifest : found.front().graph.manifests) subjects.insert(manifest.descriptor.digest);
  for (const hash::Digest& subject : subjects) add_accessories(subject, visit, found);
  if (in_place) add_accessories_of_children(*in_place, visit, found);
  if (visit.doubt && !visit.mirror_lists_some) {
    ask_for_accessories([&] { throw registry::MirrorsKnowNone(*visit.doubt); });
  }
  return found;
}

PinnedImage ImageResolver::pin(const image::Reference& name, DocumentSource& documents,
                               const image::PlatformFilter& filter, const image::Reference* accompanied) {
  const bundle::Image* known = m_known.find(name, accompanied);
  if (name.digest) {
    if (known != nullptr && known->digest == *name.digest) return pin_known(name, *known, documents);
    // What is pinned must stay pullable: it travels whole, whatever the platforms.
    return pin_read(name, read_root(name, *name.digest), documents, {.all = true, .platforms = {}}, known);
  }
  const auto head = m_client.head_manifest(repository_of(name), *name.tag);
  if (!head) throw_missing(name);
  if (known != nullptr && known->source_digest == head->digest && chosen_by(*known, filter)) {
    return pin_known(name, *known, documents);
  }
  return pin_read(name, read_root(name, head->digest), documents, filter, known);
}

PinnedImage ImageResolver::pin_known(const image::Reference& name, const bundle::Image& image,
                                     DocumentSource& documents) {
  if (!m_known.whole) return recall(name, image, documents);
  return {.name = name,
          .repository = repository_of(name),
          .source_digest = image.source_digest,
          .graph = {},
          .platforms = image.platforms,
          .platform_choice = image.platform_choice,
          .subject = image.subject,
          .docker = {},
          .notes = {},
          .in_place = image::Descriptor{image.media_type, image.digest, image.size}};
}

// What an interrupted run left of it spares the question, which registries count.
std::optional<registry::FetchedManifest> ImageResolver::known_root(const hash::Digest& digest) const {
  auto bytes = m_known.manifest(digest);
  if (!bytes) return std::nullopt;
  try {
    const std::string media_type = image::parse_manifest(*bytes, {}, {}).media_type;
    const std::uint64_t size = bytes->size();
    return registry::FetchedManifest{.descriptor = {media_type, digest, size}, .bytes = std::move(*bytes)};
  } catch (const diag::FormatError&) {  // the registry's Content-Type is needed to tell what it is
    return std::nullopt;
  }
}

registry::FetchedManifest ImageResolver::read_root(const image::Reference& name, const hash::Digest& digest) {
  if (auto known = known_root(digest)) return std::move(*known);
  if (const auto manifest = m_manifests.find(repository_of(name), digest)) return *manifest;
  if (name.digest) throw_missing(name);
  // A registry whose HEAD names a digest that it does not serve: the tag's own bytes decide (R34).
  auto fetched = m_client.get_manifest(repository_of(name), *name.tag);
  if (!fetched) throw_missing(name);
  return std::move(*fetched);
}

PinnedImage ImageResolver::pin_locked(const image::Reference& name, const Pin& pin,
                                      DocumentSource& documents) {
  const auto pin_it = [&] {
    const bundle::Image* known = m_known.find(name, nullptr);
    if (known != nullptr && known->source_digest == pin.source && known->digest == pin.carried &&
        known->platform_choice == pin.platforms.str()) {
      return recall(name, *known, documents);
    }
    return pin_read(name, read_locked(name, pin), documents, pin.platforms, known);
  };
  try {
    PinnedImage pinned = pin_it();
    const hash::Digest carried = pinned.root().digest;
    if (carried != pin.carried) throw_bad_pin(pin, name, fmt::format("{} comes out", carried.str()));
    pinned.target = pin.target;
    pinned.subject = pin.subject;
    if (!pinned.in_place) pinned.docker = docker_entry(pinned);
    return pinned;
  } catch (const NoSuchPlatform& error) {
    throw_bad_pin(pin, name, error.message());
  } catch (diag::Error& error) {
    error.add_context("taking what is pinned in " + pin.lock);
    throw;
  }
}

// By its digest alone: what a tag stands for by now does not matter.
registry::FetchedManifest ImageResolver::read_locked(const image::Reference& name, const Pin& pin) {
  if (auto known = known_root(pin.source)) return std::move(*known);
  if (const auto manifest = m_manifests.find(repository_of(name), pin.source)) return *manifest;
  throw diag::NetworkError(
      fmt::format("{} pins {} to {}, which its registry does not have any more", pin.lock, name.str(),
                  pin.source.str()),
      "make another lock with airgap-export plan --lock FILE; registries remove what no tag names");
}

PinnedImage ImageResolver::pin_read(const image::Reference& name, registry::FetchedManifest read,
                                    DocumentSource& documents, const image::PlatformFilter& filter,
                                    const bundle::Image* known) {
  const hash::Digest source_digest = read.descriptor.digest;
  PlatformChoice choice{.root = read.descriptor, .written_index = {}, .notes = {}};
  const auto parsed = image::parse_manifest(read.bytes, read.descriptor.media_type, {});
  documents.add(source_digest, std::move(read.bytes));
  if (const image::Index* index = parsed.index()) {
    choice = choose_platforms(*index, choice.root, filter);
  }
  if (choice.written_index) documents.add(choice.root.digest, std::move(*choice.written_index));

  const bool in_place = m_known.whole && known != nullptr && known->digest == choice.root.digest;
  PinnedImage pinned{
      .name = name,
      .repository = repository_of(name),
      .source_digest = source_digest,
      .graph = in_place ? transport::ImageGraph{} : transport::load_graph(documents, choice.root),
      .platforms = {},
      .platform_choice = filter.str(),
      .subject = {},
      .docker = {},
      .notes = std::move(choice.notes)};
  if (in_place) {
    pinned.in_place = choice.root;
    return pinned;
  }
  learn_platform(pinned, documents, filter);
  pinned.docker = docker_entry(pinned);
  return pinned;
}

// Where no index says what the image runs on, its config does; and that must be what was asked for.
void ImageResolver::learn_platform(PinnedImage& image, DocumentSource& documents,
                                   const image::PlatformFilter& filter) {
  image.platforms = image.graph.platforms;
  if (!image.platforms.empty() || image.graph.manifests.size() != 1) return;
  const image::Descriptor& root = image.graph.root().descriptor;
  if (root.platform) {
    image.platforms = {*root.platform};
    return;
  }
  const auto parsed = image::parse_manifest(*image.graph.root().bytes, {}, root.media_type);
  const image::Manifest* manifest = parsed.image();
  if (manifest == nullptr || !manifest->is_runnable()) return;
  const image::Platform platform =
      image::parse_config_platform(*m_configs.read(*manifest->config, documents));
  if (!filter.all && !filter.matches(platform)) {
    throw NoSuchPlatform(filter, platform.str());
  }
  image.platforms = {platform};
}

// An index in place was not read, so its children are not known. They may have signatures of their own where
// the registry has the referrers API, or some tag of the repository is a signature's: the index is read then,
// from the place that it is in, if that serves it.
void ImageResolver::add_accessories_of_children(const image::Descriptor& root, Visit& visit,
                                                std::vector<PinnedImage>& found) {
  if (image::manifest_kind(root.media_type) != image::ManifestKind::index) return;
  const auto& tags = m_tags.of(visit.repository).tags;
  const bool signed_ones = tags && std::any_of(tags->begin(), tags->end(),
                                               [](const auto& tag) { return tag.starts_with("sha256-"); });
  if (!visit.has_api && !signed_ones) return;
  const auto parsed = image::parse_manifest(visit.documents.read_manifest(root), {}, root.media_type);
  for (const image::Descriptor& child : parsed.index()->manifests) {
    add_accessories(child.digest, visit, found);
  }
}

void ImageResolver::add_accessories(const hash::Digest& subject, Visit& visit,
                                    std::vector<PinnedImage>& found) {
  if (visit.depth == k_max_accessory_depth) return;
  const auto accompany = [&](const image::Reference& name, auto&& pin_it) {
    if (!visit.seen.insert(name.str()).second) return;
    PinnedImage accessory = ask_for_accessories(
        [&] { return diag::with_context([&] { return "resolving " + name.str(); }, pin_it); });
    accessory.subject = subject;
    accessory.accompanies = visit.name;
    accessory.docker.reset();
    std::vector<hash::Digest> next;
    if (accessory.in_place) next.push_back(accessory.in_place->digest);
    for (const auto& manifest : accessory.graph.manifests) next.push_back(manifest.descriptor.digest);
    found.push_back(std::move(accessory));
    ++visit.depth;
    for (const hash::Digest& digest : next) add_accessories(digest, visit, found);
    --visit.depth;
  };
  const image::PlatformFilter whole{.all = true, .platforms = {}};
  image::Reference name{.registry = visit.repository.registry, .repository = visit.repository.path};

  for (const image::Descriptor& referrer : referrers_of(subject, visit)) {
    image::Reference by_digest = name;
    by_digest.digest = referrer.digest;
    accompany(by_digest, [&] {
      PinnedImage pinned = pin(by_digest, visit.documents, whole, &visit.name);
      pinned.referrer = referrer;
      return pinned;
    });
  }
  for (const std::string& tag : tags_about(subject, visit)) {
    image::Reference by_tag = name;
    by_tag.tag = tag;
    accompany(by_tag, [&] { return pin(by_tag, visit.documents, whole, &visit.name); });
  }
}

std::vector<image::Descriptor> ImageResolver::referrers_of(const hash::Digest& subject, Visit& visit) {
  return ask_for_accessories([&]() -> std::vector<image::Descriptor> {
    try {
      registry::FoundReferrers found = m_client.find_referrers(visit.repository, subject);
      if (found.of_mirror) visit.mirror_lists_some = true;
      if (found.listed) visit.has_api = true;
      return std::move(found.listed).value_or(std::vector<image::Descriptor>{});
    } catch (const registry::MirrorsKnowNone& error) {
      visit.doubt = error;
      return {};
    }
  });
}

std::vector<std::string> ImageResolver::tags_about(const hash::Digest& subject, Visit& visit) {
  const registry::FoundTags& known =
      ask_for_accessories([&]() -> const auto& { return m_tags.of(visit.repository); });
  std::vector<std::string> about;
  if (known.tags) {
    const std::string prefix = fmt::format("{}-{}", hash::name(subject.algorithm()), subject.hex());
    for (auto tag = std::lower_bound(known.tags->begin(), known.tags->end(), prefix);
         tag != known.tags->end() && tag->starts_with(prefix); ++tag) {
      if (tag->size() == prefix.size() || (*tag)[prefix.size()] == '.') about.push_back(*tag);
    }
  }
  if (known.of_mirror && !about.empty()) visit.mirror_lists_some = true;
  if (known.of_mirror && about.empty() && !visit.doubt) {
    visit.doubt.emplace(fmt::format(
        "a mirror's tags of {} name nothing that accompanies {}, and its location could not be asked",
        visit.repository.str(), subject.str()));
  }
  return about;
}

}  // namespace airgap::exporter
