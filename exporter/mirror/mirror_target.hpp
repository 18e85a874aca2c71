#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/delivery/survey.hpp"
#include "common/image/mapping.hpp"
#include "common/registry/registry_client.hpp"
#include "common/task/guarded.hpp"
#include "exporter/resolve/resolve.hpp"

namespace airgap::exporter {

/// The registry that a mirror run fills, and what it has under the names that the images get there: asked by
/// HEAD, when an image is resolved. What it has under the digest that the source has is taken for whole: a
/// registry takes a manifest only after all that it names. Thread-safe.
class MirrorTarget {
 public:
  /// The client is borrowed. What is pinned among `selected` goes where its lock says.
  MirrorTarget(registry::RegistryClient& client, image::Mapping names, image::RegistryTarget where,
               const std::vector<Wanted>& selected);

  /// Where an image goes: what accompanies another goes beside that. Throws UsageError where no registry
  /// would take that name.
  image::Reference target_of(const image::Reference& source,
                             const image::Reference* accompanied = nullptr) const;
  /// The same for what is pinned; blobs of a want-list go where that says.
  image::Reference target_of(const PinnedImage& image) const;
  /// For resolving; borrows this.
  KnownImages known();
  /// What target tags stand for, as far as that was asked.
  delivery::KnownTags tags() const;

 private:
  const bundle::Image* find(const image::Reference& source, const image::Reference* accompanied);
  std::string inside(const image::Reference& source) const;
  std::optional<std::string> read_known(const hash::Digest& digest);

  registry::RegistryClient& m_client;
  image::Mapping m_names;
  image::RegistryTarget m_where;
  std::map<image::Reference, std::string> m_locked;            // places inside
  std::map<image::Reference, image::Reference> m_accompanied;  // by locked images that accompany others
  struct Known {
    /// By target and source; nodes stay where they are.
    std::map<std::pair<image::Reference, image::Reference>, std::optional<bundle::Image>> answers;
    std::map<hash::Digest, registry::Repository> places;  // of the images that are there
  };
  task::Guarded<Known> m_known;
};

}  // namespace airgap::exporter
