#include "common/hash/crc32.hpp"

#include <zlib.h>

namespace airgap::hash {

std::uint32_t crc32(std::uint32_t before, std::span<const std::byte> data) {
  return static_cast<std::uint32_t>(
      ::crc32_z(before, reinterpret_cast<const Bytef*>(data.data()), data.size()));
}

}  // namespace airgap::hash
