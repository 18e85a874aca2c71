#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace airgap::bundle {

/// Files that lie somewhere and may be of no use any more.
struct LeftFiles {
  std::string first;  ///< the path of one
  std::size_t files = 0;
  std::uint64_t bytes = 0;  ///< their lengths

  void add(const std::string& path, std::uint64_t length) {
    if (files++ == 0) first = path;
    bytes += length;
  }
};

}  // namespace airgap::bundle
