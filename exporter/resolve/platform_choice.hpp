#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/diag/error.hpp"
#include "common/image/descriptor.hpp"
#include "common/image/index.hpp"
#include "common/image/platform.hpp"

namespace airgap::exporter {

/// What of an index travels.
struct PlatformChoice {
  image::Descriptor root;  ///< the index itself, one child, or an index of the chosen children
  std::optional<std::string> written_index;  ///< the bytes of that new index
  std::vector<std::string> notes;            ///< what was left out, for the operator
};

/// An image has none of the platforms that are wanted; the message names those it has.
class NoSuchPlatform : public diag::NetworkError {
 public:
  NoSuchPlatform(const image::PlatformFilter& wanted, const std::string& available);
};

/// `root` describes `index`. Throws NoSuchPlatform when none matches.
PlatformChoice choose_platforms(const image::Index& index, const image::Descriptor& root,
                                const image::PlatformFilter& filter);

}  // namespace airgap::exporter
