#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "bundle-format/volumes/volumes_at_hand.hpp"

namespace airgap::importer {

/// A volume that the operator is asked for.
struct WantedVolume {
  std::size_t number = 1;
  std::vector<std::size_t> later{};    ///< more of those that are not at hand, as far as is known
  std::vector<std::size_t> waiting{};  ///< at hand, and needed after this one
};

/// "volume 3 of 6 is wanted (later 5-6 as well); volume 4 is here, and its turn comes later": safe to print.
std::string question(const WantedVolume& wanted, const bundle::VolumesAtHand& volumes);

}  // namespace airgap::importer
