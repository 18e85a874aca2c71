#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "common/image/mapping.hpp"
#include "exporter/select/selection.hpp"

namespace airgap::exporter {

/// What the operator asked for, before any registry is asked.
struct SelectOptions {
  std::vector<std::string> images{};  ///< as on the command line
  std::vector<std::string>
      from_files{};  ///< --from: plain lists, skopeo's YAML, locks, want-lists; "-" is standard input
  /// --platform: "all", "linux/amd64,linux/arm64", or the same for one repository or image: "nginx:1=all".
  /// Without one in general, this machine's.
  std::vector<std::string> platforms{};
  bool all_tags = false;               ///< --all-tags: of names without tag and digest
  std::vector<std::string> exclude{};  ///< --exclude: patterns of tags, where tags are listed
  std::size_t newest = 0;              ///< --newest, where tags are listed; 0 for all
  std::function<std::string(const std::string&)> expand_short_name{};  ///< of names outside YAML; may be null

  std::string full_name(const std::string& text) const {
    return expand_short_name ? expand_short_name(text) : text;
  }
};

/// Throws UsageError: a bad name with its file and line, an unreadable list, two lists that
/// differ about one registry or image, a rule for what is not selected, or nothing selected.
Selection select(const SelectOptions& options);

/// How images are called inside: what `asked` (the command line) says, then what the selection's lists say;
/// images of a lock as it says (PinnedImage::target). Throws UsageError where options and lock differ.
image::Mapping names_inside(const Selection& selection, image::Mapping asked);

}  // namespace airgap::exporter
