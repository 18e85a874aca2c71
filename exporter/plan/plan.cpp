#include "exporter/plan/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <set>
#include <tuple>

#include "bundle-format/metadata/limits.hpp"
#include "common/diag/error.hpp"
#include "common/hash/hasher.hpp"
#include "common/image/companions.hpp"
#include "common/image/media_type.hpp"

namespace airgap::exporter {
namespace {

bundle::Image describe(const PinnedImage& image, const image::Mapping& names) {
  const image::Descriptor& root = image.graph.root().descriptor;
  return {
      .name = image.name,
      .digest = root.digest,
      .media_type = root.media_type,
      .size = root.size,
      .source_digest = image.source_digest,
      .platforms = image.platforms,
      .bytes = image.graph.bytes(),
      .target = image.target ? names.by_rule(image.name).value_or(*image.target) : names.inside(image.name),
      .subject = image.subject,
      .platform_choice = image.platform_choice,
      .unique_bytes = 0};
}

// Bytes that no other image of the bundle names: what leaving this one out would save.
void count_unique(bundle::BundleInfo& info, const std::vector<const PinnedImage*>& images) {
  std::map<hash::Digest, std::size_t> users;
  const auto each = [](const PinnedImage& image, auto&& visit) {
    for (const auto& manifest : image.graph.manifests) visit(manifest.descriptor);
    for (const auto& config : image.graph.configs) visit(config);
    for (const auto& layer : image.graph.layers) visit(layer);
  };
  for (const PinnedImage* image : images) each(*image, [&](const auto& blob) { ++users[blob.digest]; });
  for (std::size_t i = 0; i < images.size(); ++i) {
    each(*images[i], [&](const auto& blob) {
      if (users.at(blob.digest) == 1) info.images[i].unique_bytes += blob.size;
    });
  }
}

std::string path_of(const bundle::Image& image) {
  return image::RegistryTarget{.registry = "REGISTRY"}.place(image.target).repository;
}

void follow_subjects(std::vector<bundle::Image>& images, const std::vector<const PinnedImage*>& pinned) {
  std::vector<image::Traveller> travellers;
  for (std::size_t i = 0; i < images.size(); ++i) {
    image::Traveller& traveller = travellers.emplace_back(
        image::Traveller{{images[i].source_digest}, images[i].subject, path_of(images[i])});
    for (const auto& manifest : pinned[i]->graph.manifests)
      traveller.holds.push_back(manifest.descriptor.digest);
  }
  const std::vector<image::Traveller> before = travellers;
  image::follow_subjects(travellers);
  for (std::size_t i = 0; i < images.size(); ++i)
    images[i].target.replace(0, before[i].place.size(), travellers[i].place);
}

/// Collects what the images name, each blob once however many images share it.
class Collector {
 public:
  Collector(ExportPlan& plan, const image::Mapping& names) : m_plan(plan), m_names(names) {}

  void add(const PinnedImage& image) {
    if (!m_seen.insert(image.name).second) return;
    m_chosen.push_back(&image);
    if (image.docker) m_plan.contents.docker_images.push_back(*image.docker);
    if (!image.signatures.empty()) m_plan.contents.signatures.emplace(image.name, image.signatures);
    for (const auto& manifest : image.graph.manifests) {
      add_blob(manifest.descriptor, bundle::BlobKind::manifest, image.repository);
      m_plan.contents.manifests.emplace(manifest.descriptor.digest, manifest.bytes);
    }
    for (const auto& config : image.graph.configs)
      add_blob(config, bundle::BlobKind::config, image.repository);
    for (const auto& layer : image.graph.layers) add_blob(layer, bundle::BlobKind::layer, image.repository);
    if (image.wanted) add_wanted(image);
  }

  /// Writes the images down by name, with the blobs that each needs.
  void write_images() {
    std::sort(m_chosen.begin(), m_chosen.end(),
              [](const auto* a, const auto* b) { return a->name < b->name; });
    for (const PinnedImage* image : m_chosen) {
      m_plan.contents.info.images.push_back(describe(*image, m_names));
      auto& needed = m_plan.blobs_of_images.emplace_back();
      for (const auto& config : image->graph.configs) needed.push_back(config.digest);
      for (const auto& layer : image->graph.layers) needed.push_back(layer.digest);
    }
    follow_subjects(m_plan.contents.info.images, m_chosen);
    count_unique(m_plan.contents.info, m_chosen);
  }

  std::vector<bundle::Blob> blobs() const {
    std::vector<bundle::Blob> list;
    list.reserve(m_blobs.size());
    for (const auto& [digest, blob] : m_blobs) list.push_back(blob);
    std::sort(list.begin(), list.end(), [](const bundle::Blob& a, const bundle::Blob& b) {
      return std::tie(a.kind, a.digest) < std::tie(b.kind, b.digest);
    });
    return list;
  }

  /// Blobs that a want-list names, and what carries them.
  const std::set<hash::Digest>& wanted() const noexcept { return m_wanted; }

 private:
  void add_wanted(const PinnedImage& carrier) {
    for (const auto& config : carrier.graph.configs) m_wanted.insert(config.digest);
    for (const auto& layer : carrier.graph.layers) m_wanted.insert(layer.digest);
    for (const SoughtBlob& sought : carrier.wanted->blobs)
      m_plan.origins.at(sought.blob.digest).wanted_for = sought.image;
  }

  void add_blob(const image::Descriptor& descriptor, bundle::BlobKind kind,
                const registry::Repository& repository) {
    const auto [place, is_new] = m_blobs.try_emplace(
        descriptor.digest, bundle::Blob{descriptor.digest, descriptor.size, kind, descriptor.size});
    if (place->second.size != descriptor.size) {
      throw diag::UnsafeError(fmt::format("{} is said to have {} bytes and {} bytes", descriptor.digest.str(),
                                          place->second.size, descriptor.size));
    }
    place->second.kind = std::min(place->second.kind, kind);
    m_plan.origins.try_emplace(descriptor.digest, BlobOrigin{repository, descriptor});
  }

  ExportPlan& m_plan;
  const image::Mapping& m_names;
  std::set<image::Reference> m_seen;
  std::vector<const PinnedImage*> m_chosen;
  std::map<hash::Digest, bundle::Blob> m_blobs;
  std::set<hash::Digest> m_wanted;
};

void refuse_collisions(const std::vector<bundle::Image>& images) {
  const image::RegistryTarget inside{.registry = "REGISTRY"};
  std::vector<image::Naming> names;
  names.reserve(images.size());
  for (const bundle::Image& image : images)
    names.push_back({image.name, inside.place(image.target), image.digest.str()});
  const auto collisions = image::find_collisions(names);
  if (collisions.empty()) return;
  throw diag::UsageError(collisions.front().str(), collisions.front().hint());
}

// What the bundle itself names is asked for there anyway.
std::vector<bundle::BaseImage> base_of(const OtherSide& other, const std::vector<bundle::Image>& images) {
  std::set<image::Reference> named;
  for (const bundle::Image& image : images) named.insert(image.name);
  std::vector<bundle::BaseImage> base;
  for (const auto& [name, target] : other.places) {
    if (base.size() == bundle::k_max_images) break;
    if (!named.contains(name)) base.push_back({name, target});
  }
  return base;
}

// What the other side has stays behind, but for manifests: they are small, and set the tags; and for what a
// want-list says that it has not. An engine that loads the bundle by itself must not be told of images that
// are not whole in it.
void leave_out(ExportPlan& plan, const OtherSide& other, const std::set<hash::Digest>& wanted) {
  bundle::BundleInfo& info = plan.contents.info;
  plan.since = other.said_by;
  plan.registries = other.registries;
  std::set<hash::Digest> left_out;
  for (const bundle::Blob& blob : info.blobs) {
    const auto* held = blob.kind == bundle::BlobKind::manifest ? nullptr : other.find(blob);
    if (held == nullptr || wanted.contains(blob.digest)) continue;
    info.requires_.push_back({blob.digest, blob.size, blob.kind, held->repository});
    left_out.insert(blob.digest);
  }
  const auto is_left_out = [&](const hash::Digest& digest) { return left_out.contains(digest); };
  std::erase_if(info.blobs, [&](const bundle::Blob& blob) { return is_left_out(blob.digest); });
  std::erase_if(plan.contents.docker_images, [&](const bundle::DockerImage& image) {
    return is_left_out(image.config) || std::ranges::any_of(image.layers, is_left_out);
  });
  if (!info.requires_.empty()) info.base = base_of(other, info.images);
  plan.new_images = static_cast<std::size_t>(
      std::ranges::count_if(info.images, [&](const bundle::Image& image) { return !other.has(image); }));
}

bool same_contents(const bundle::BundleInfo& a, const bundle::BundleInfo& b) {
  return a.images == b.images && a.blobs == b.blobs && a.requires_ == b.requires_ && a.base == b.base;
}

// A bundle keeps its number and time while it holds the same; new contents take the next number, once the
// last one was used up by a finished bundle. A delta goes on with the stream that it is made for, after what
// it is made for. What an interrupted run began in the place of a finished bundle keeps its number, too.
void number(bundle::BundleInfo& info, const Holdings& holdings, const PlanOptions& options) {
  info.creator = options.creator;
  info.created = options.created;
  info.stream = options.new_stream;
  const auto after = options.other_side != nullptr ? options.other_side->position : std::nullopt;
  if (after) {
    info.stream = after->stream;
    info.sequence = after->sequence + 1;
  }
  if (info.sequence > bundle::k_max_sequence)
    throw diag::UsageError("--since: its stream has no number left");
  const auto keeps_number = [&](const bundle::BundleInfo& earlier, bool used) {
    const std::uint64_t least = info.sequence;
    const bool same = same_contents(earlier, info) && earlier.sequence >= least;
    info.sequence = same ? earlier.sequence : std::max(least, earlier.sequence + (used ? 1 : 0));
    if (!same) return false;
    info.created = earlier.created;
    info.creator = earlier.creator;
    return true;
  };
  if (holdings.info && (!after || after->stream == holdings.info->stream)) {
    info.stream = holdings.info->stream;
    if (keeps_number(*holdings.info, holdings.number_used)) return;
  }
  if (holdings.begun && holdings.begun->stream == info.stream) keeps_number(*holdings.begun, false);
}

}  // namespace

ExportPlan make_plan(const PinnedImages& pinned, const Holdings& holdings, const PlanOptions& options) {
  ExportPlan plan;
  bundle::BundleInfo& info = plan.contents.info;
  info.names = options.names.mode;
  Collector collector(plan, options.names);
  for (const PinnedImage& image : pinned.images) collector.add(image);
  for (const PinnedImage& image : holdings.kept) collector.add(image);
  collector.write_images();
  std::sort(plan.contents.docker_images.begin(), plan.contents.docker_images.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  refuse_collisions(info.images);
  info.blobs = collector.blobs();
  if (options.other_side != nullptr) leave_out(plan, *options.other_side, collector.wanted());
  number(info, holdings, options);

  bool all_there = true;
  for (const bundle::Blob& blob : info.blobs) {
    const bool there = holdings.has_blob(blob);
    const bool packed = image::is_compressed(plan.origins.at(blob.digest).descriptor.media_type);
    if (packed) plan.packed_bytes += blob.stored_size;
    all_there = all_there && there;
    if (there) {
      plan.kept_bytes += blob.stored_size;
    } else if (blob.kind == bundle::BlobKind::manifest) {
      plan.new_manifests.push_back(blob);
    } else {
      plan.fetch.push_back(blob);
      plan.fetch_bytes += blob.size;
      const std::uint64_t partial = std::min(blob.size, holdings.partial_bytes(blob));
      plan.partial_bytes += partial;
      if (packed) plan.packed_fetch_bytes += blob.size - partial;
    }
  }
  for (const bundle::Blob& blob : plan.fetch) {
    const auto config = pinned.configs.find(blob.digest);
    if (config != pinned.configs.end()) plan.at_hand.insert(*config);
  }
  plan.unchanged = holdings.finished && all_there && holdings.info == info;
  return plan;
}

std::string random_stream() {
  std::random_device device;
  std::string stream;
  for (int i = 0; i < 4; ++i) stream += fmt::format("{:08x}", static_cast<std::uint32_t>(device()));
  return stream;
}

std::string derived_stream(const PinnedImages& pinned) {
  std::set<std::string> lines;
  for (const PinnedImage& image : pinned.images) {
    lines.insert(image.name.str() + " " + image.graph.root().descriptor.digest.str() + "\n");
  }
  std::string text;
  for (const std::string& line : lines) text += line;
  return hash::sha256_of(text).hex().substr(0, 32);
}

}  // namespace airgap::exporter
