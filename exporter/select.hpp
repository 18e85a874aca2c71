#pragma once

#include <string>
#include <vector>

#include "common/cli/registry_access.hpp"
#include "common/image/platform.hpp"
#include "common/image/reference.hpp"
#include "exporter/tag_filter.hpp"

namespace airgap::exporter {

/// What the operator asked for, before any registry is asked.
struct SelectOptions {
  std::vector<std::string> images;      ///< as on the command line
  std::vector<std::string> from_files;  ///< --from: plain lists and skopeo's YAML, "-" is standard input
  std::string platforms;  ///< --platform: "all" or "linux/amd64,linux/arm64"; empty for this machine's
  bool all_tags = false;  ///< --all-tags: of names without tag and digest
};

/// One image to be resolved.
struct Wanted {
  image::Reference name;  ///< with a tag or a digest
  friend bool operator==(const Wanted&, const Wanted&) = default;
};

/// A repository whose tags have to be listed.
struct WantedTags {
  image::Reference repository;  ///< without tag and digest
  TagFilter filter;
  std::string place;  ///< "images.yaml:3:5"; empty for the command line
};

struct Selection {
  std::vector<Wanted> images;            ///< each once, in the order asked for
  std::vector<WantedTags> repositories;  ///< expand() turns them into images
  cli::SettingsOfRegistries registries;  ///< what the lists say of them
  image::PlatformFilter platforms;
  std::string platform_choice;    ///< the filter as text, as recorded in the bundle
  bool default_platform = false;  ///< the operator named none, so this machine's was taken
};

/// Throws UsageError: a bad name with its file and line, an unreadable list, two lists that
/// differ about one registry, or nothing selected.
Selection select(const SelectOptions& options);

}  // namespace airgap::exporter
