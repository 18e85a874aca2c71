#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bundle-format/read_back.hpp"
#include "common/image/mapping.hpp"
#include "exporter/resolve/source_images.hpp"

namespace airgap::exporter {

/// What a person asked `pull` or `plan` for.
struct ExportSettings {
  std::string command = "pull";
  SourceSettings source;
  image::Mapping names;
  std::string output{};              ///< in a dry run it may be empty: what would go to a new place
  std::vector<std::string> since{};  ///< --since: what says what the other side has
  std::string registries_d{};        ///< where lookaside signatures are; empty: the usual directory
  bool skopeo_tree = false;          ///< not a bundle: the directories that skopeo sync writes
  bool overwrite = false;
  bool overwrite_tags = true;  ///< in skopeo's directories: a folder may get another image than it holds
  bool prune = false;
  bool dry_run = false;
  std::string lock{};                          ///< --lock: the plan as a list to pull from; empty for none
  std::optional<std::uint64_t> volume_size{};  ///< in bytes; an archive in volumes of at most so many
  std::optional<bundle::MediaCheck> verify_media{};  ///< nothing: a sample where the medium is removable
};

}  // namespace airgap::exporter
