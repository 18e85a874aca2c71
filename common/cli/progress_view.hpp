#pragma once

#include <cstddef>
#include <vector>

#include "common/cli/progress.hpp"
#include "common/cli/screen.hpp"

namespace airgap::cli {

struct ViewStyle {
  std::size_t columns = 80;  ///< of the terminal; lines stay three below it
  std::size_t rows = 24;
  bool utf8 = false;
  bool color = false;
};

inline constexpr std::size_t k_most_transfer_lines = 8;

/// The lines for a terminal: one for each of the oldest running transfers, the total last. On a narrow
/// terminal the less important parts are left out.
std::vector<DrawnLine> render(const ProgressState& state, const ViewStyle& style);

}  // namespace airgap::cli
