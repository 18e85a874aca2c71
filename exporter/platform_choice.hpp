#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/image/descriptor.hpp"
#include "common/image/index.hpp"
#include "common/image/platform.hpp"

namespace airgap::exporter {

/// What of an index travels (DESIGN 2, "Platforms").
struct PlatformChoice {
  image::Descriptor root;  ///< the index itself, one child, or an index of the chosen children
  std::optional<std::string> written_index;  ///< the bytes of that new index
  std::vector<std::string> notes;            ///< what was left out, for the operator
};

/// `root` describes `index`. Throws NetworkError (exit 3) naming the platforms there are when none matches.
PlatformChoice choose_platforms(const image::Index& index, const image::Descriptor& root,
                                const image::PlatformFilter& filter);

}  // namespace airgap::exporter
