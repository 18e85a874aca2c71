#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "common/yaml/node.hpp"
#include "exporter/select/selection.hpp"

namespace airgap::exporter {

/// What a registry's section of the YAML says of its repositories and images beyond what skopeo reads, as
/// maps that skopeo passes over: exclude, newest, platforms, targets.
class SectionRules {
 public:
  /// `images` and `repositories` are those of this section; borrowed.
  SectionRules(std::string host, std::span<const Wanted> images, std::span<WantedTags> repositories)
      : m_host(std::move(host)), m_images(images), m_repositories(repositories) {}

  /// Narrows the filters of the repositories, and adds to the rules. Throws UsageError with file:line:column,
  /// also for a name that this section does not select.
  void read(const yaml::Node& section, PlatformRules& platforms, TargetRules& targets);

 private:
  using OnName = std::function<void(const image::Reference& name, const yaml::Node& value)>;
  void each_name(const yaml::Node& block, const OnName& on_name) const;
  void each_listed(const yaml::Node& block, std::string_view what, const OnName& on_name) const;
  void read_exclude(const yaml::Node& block);
  void read_newest(const yaml::Node& block);

  std::string m_host;
  std::span<const Wanted> m_images;
  std::span<WantedTags> m_repositories;
};

}  // namespace airgap::exporter
