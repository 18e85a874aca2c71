#pragma once

#include <string>

namespace airgap::bundle {

/// When a new bundle says it was made.
struct CreationTime {
  std::string text;    ///< RFC 3339, UTC
  bool fixed = false;  ///< from SOURCE_DATE_EPOCH
};

/// Now, or SOURCE_DATE_EPOCH. Throws UsageError when that is no number of seconds, or the clock is far off.
CreationTime creation_time();

}  // namespace airgap::bundle
