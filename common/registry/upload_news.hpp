#pragma once

#include <cstdint>
#include <functional>

namespace airgap::registry {

/// Who is told how an upload goes.
struct UploadNews {
  /// Bytes as they leave; a negative count takes back those of an attempt that failed.
  std::function<void(std::int64_t)> sent{};
  /// So many bytes are there from an earlier run. Comes before any `sent`, if it comes.
  std::function<void(std::uint64_t)> found{};
};

}  // namespace airgap::registry
