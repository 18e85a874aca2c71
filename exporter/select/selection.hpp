#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bundle-format/metadata/want_list.hpp"
#include "common/cli/registry_access.hpp"
#include "common/hash/digest.hpp"
#include "common/image/mapping.hpp"
#include "common/image/platform.hpp"
#include "common/image/reference.hpp"
#include "exporter/select/name_rules.hpp"
#include "exporter/select/tag_filter.hpp"

namespace airgap::exporter {

/// What a lock says of an image: its name stands for this, whatever its tag does.
struct Pin {
  hash::Digest source;   ///< what the name stood for in the registry
  hash::Digest carried;  ///< what travels under the name: the same, or what `platforms` chose of it
  image::PlatformFilter platforms;
  std::string target;                   ///< inside: path[:tag] or path@digest
  std::optional<hash::Digest> subject;  ///< the image that it accompanies
  std::string lock;                     ///< the file, for messages
  friend bool operator==(const Pin&, const Pin&) = default;
};

/// One image to be resolved.
struct Wanted {
  image::Reference name;     ///< with a tag or a digest
  std::optional<Pin> pin{};  ///< then nothing is asked for what accompanies it: the lock names that too
  friend bool operator==(const Wanted&, const Wanted&) = default;
};

/// A repository whose tags have to be listed.
struct WantedTags {
  image::Reference repository;  ///< without tag and digest
  TagFilter filter;
  std::string place;  ///< "images.yaml:3:5"; empty for the command line
};

/// A blob that a want-list names.
struct SoughtBlob {
  bundle::WantedBlob blob;
  image::Reference image;  ///< that needs it
  friend bool operator==(const SoughtBlob&, const SoughtBlob&) = default;
};

/// Where blobs come from, and where they go.
struct BlobPlace {
  image::Reference repository;  ///< without tag and digest
  std::string target;           ///< the repository inside, below the prefix
  friend auto operator<=>(const BlobPlace&, const BlobPlace&) = default;
};

/// What want-lists name for one place.
struct WantedBlobs {
  BlobPlace place;
  std::vector<SoughtBlob> blobs;
};

using PlatformRules = NameRules<image::PlatformFilter>;
using TargetRules = NameRules<std::string>;  ///< path[:tag] inside

/// Which platforms of an image are wanted.
struct WantedPlatforms {
  image::PlatformFilter general;  ///< of what nothing else is said
  PlatformRules asked;            ///< by the command line, which goes first
  PlatformRules listed;           ///< by lists

  const image::PlatformFilter& of(const image::Reference& image) const {
    if (const auto* filter = asked.find(image)) return *filter;
    if (const auto* filter = listed.find(image)) return *filter;
    return general;
  }
};

/// What is to be carried.
struct Selection {
  std::vector<Wanted> images;            ///< each once, in the order asked for
  std::vector<WantedTags> repositories;  ///< expand() turns them into images
  std::vector<WantedBlobs> blobs;        ///< that want-lists name, each place once
  cli::SettingsOfRegistries registries;  ///< what the lists say of them
  WantedPlatforms platforms;
  TargetRules targets;                          ///< what the lists say of names inside
  std::optional<image::NameMode> locked_names;  ///< how a lock names images inside
  bool default_platform = false;                ///< the operator named none, so this machine's was taken
};

}  // namespace airgap::exporter
