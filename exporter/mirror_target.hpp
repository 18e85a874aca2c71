#pragma once

#include <map>
#include <optional>

#include "common/delivery/survey.hpp"
#include "common/image/mapping.hpp"
#include "common/registry/registry_client.hpp"
#include "common/task/guarded.hpp"
#include "exporter/resolve.hpp"

namespace airgap::exporter {

/// The registry that a mirror run fills, and what it has under the names that the images get there: asked by
/// HEAD, when an image is resolved. What it has under the digest that the source has is taken for whole: a
/// registry takes a manifest only after all that it names. Thread-safe.
class MirrorTarget {
 public:
  /// The client is borrowed.
  MirrorTarget(registry::RegistryClient& client, image::Mapping names, image::RegistryTarget where);

  /// Where an image goes. Throws UsageError where no registry would take that name.
  image::Reference target_of(const image::Reference& source) const;
  /// For resolving; borrows this.
  KnownImages known();
  /// What target tags stand for, as far as that was asked.
  delivery::KnownTags tags() const;

 private:
  const bundle::Image* find(const image::Reference& source);
  std::optional<std::string> read_known(const hash::Digest& digest);

  registry::RegistryClient& m_client;
  image::Mapping m_names;
  image::RegistryTarget m_where;
  struct Answer {
    image::Reference target;
    std::optional<bundle::Image> image;
  };
  struct Known {
    std::map<image::Reference, Answer> answers;           // by source; nodes stay where they are
    std::map<hash::Digest, registry::Repository> places;  // of the images that are there
  };
  task::Guarded<Known> m_known;
};

}  // namespace airgap::exporter
