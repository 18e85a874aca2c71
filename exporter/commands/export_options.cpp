#include "exporter/commands/export_options.hpp"

#include "bundle-format/volumes/volume_size.hpp"
#include "common/cli/naming.hpp"

namespace airgap::exporter {

void ExportOptions::declare_selection(cli::Command& command) {
  command.positionals("IMAGE", select.images, 0, "image names: nginx:1.27, quay.io/org/app@sha256:…");
  command.option(
      "--from", select.from_files, "FILE",
      "images: a name a line, the YAML of skopeo sync, a lock or a want-list; - is standard input");
  command.flag("--all-tags", select.all_tags, "names without a tag mean all tags, not latest");
  command.flag("--allow-empty", allow_empty, "a repository none of whose tags is wanted is no error");
  command.option("--exclude", select.exclude, "REGEX", "of listed tags, leave out those that it matches");
  command.option("--newest", select.newest, "N", "of listed tags, the N highest versions of each repository",
                 {.least = 1});
  command.option("--platform", select.platforms, "[NAME=]LIST",
                 "linux/amd64,linux/arm64… or all (default: linux on this machine's architecture); with a "
                 "repository or image before it, for that alone");
  command.flag("--no-referrers", no_referrers, "leave signatures, SBOMs and attestations behind");
  names.declare(command);
  command.flag(cli::k_allow_unused_map, allow_unused_map, cli::k_allow_unused_map_help);
}

void ExportOptions::declare_bundle(cli::Command& command) {
  command.option("--since", since, "FILE",
                 "a delta: leave out what the other side has, as this bundle, bundle.json or receipt says");
  command.option(
      "--volume-size", volume_size_text, "SIZE|fat32|dvd|bd",
      "FILE.001.tar, FILE.002.tar, … of at most so many bytes: 4GiB or 4G (of 1024), 700MB (of 1000)");
}

std::optional<std::uint64_t> ExportOptions::volume_size() const {
  if (volume_size_text.empty()) return std::nullopt;
  return bundle::parse_volume_size(volume_size_text);
}

SourceSettings ExportOptions::source(bool keep_going) const {
  return {.select = select,
          .access = access,
          .referrers = !no_referrers,
          .allow_empty = allow_empty,
          .allow_unused_map = allow_unused_map,
          .keep_going = keep_going};
}

}  // namespace airgap::exporter
