#pragma once

#include <cstdint>
#include <string>

namespace airgap::bundle {

/// When a new bundle says it was made.
struct CreationTime {
  std::string text;    ///< RFC 3339, UTC
  bool fixed = false;  ///< from SOURCE_DATE_EPOCH
};

/// Now, or SOURCE_DATE_EPOCH. Throws UsageError when that is no number of seconds, or the clock is far off.
CreationTime creation_time();

/// Seconds since 1970 as bundle.json has them: "2026-01-31T12:00:00Z". The reverse of created_seconds().
std::string created_text(std::uint64_t seconds);

}  // namespace airgap::bundle
