#pragma once

#include <string>
#include <vector>

#include "common/image/platform.hpp"
#include "common/image/reference.hpp"

namespace airgap::exporter {

/// What the operator asked for, before any registry is asked.
struct SelectOptions {
  std::vector<std::string> images;      ///< as on the command line
  std::vector<std::string> from_files;  ///< --from: plain lists, "-" is standard input
  std::string platforms;                ///< --platform: "all" or "linux/amd64,linux/arm64"; empty for this machine's
};

/// One image to be resolved.
struct Wanted {
  image::Reference name;  ///< with a tag or a digest
  friend bool operator==(const Wanted&, const Wanted&) = default;
};

struct Selection {
  std::vector<Wanted> images;  ///< each once, in the order asked for
  image::PlatformFilter platforms;
  std::string platform_choice;   ///< the filter as text, as recorded in the bundle
  bool default_platform = false; ///< the operator named none, so this machine's was taken
};

/// Throws UsageError: a bad name with its file and line, an unreadable list, or nothing selected.
Selection select(const SelectOptions& options);

}  // namespace airgap::exporter
