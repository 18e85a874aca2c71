#pragma once

#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "exporter/select/selection.hpp"

namespace airgap::exporter {

/// The names that a selection has, for checking rules that speak of some of them. Borrows both lists.
class SelectedNames {
 public:
  SelectedNames(std::span<const Wanted> images, std::span<const WantedTags> repositories);

  /// Whether `name`, a repository or with a tag an image, is selected. A tag of a repository whose tags are
  /// still to be listed is when it would be taken.
  bool has(const image::Reference& name) const;

  /// For an operator who wrote `name`, which is not there: the nearest, or what there is. `show` writes
  /// names.
  std::string hint(const image::Reference& name,
                   const std::function<std::string(const image::Reference&)>& show) const;

 private:
  std::set<image::Reference> m_names;  // repositories, and images without digests
  std::multimap<image::Reference, const TagFilter*> m_listed;
};

/// "org/app:1", as it is written below its registry in a list; official images of docker.io without library/.
std::string below_registry(const image::Reference& name);

}  // namespace airgap::exporter
