#pragma once

#include <cstdint>
#include <string>

namespace airgap::bundle {

/// The bytes that `--volume-size` means: a number of bytes, or one with a unit as GNU split has them (4G and
/// 4GiB are 4 * 1024^3, 4GB is 4 * 1000^3; K, M and T likewise), or the name of a medium in letters of either
/// case: fat32 (its largest file), dvd, bd. Throws UsageError.
std::uint64_t parse_volume_size(const std::string& text);

}  // namespace airgap::bundle
