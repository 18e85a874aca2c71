#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace airgap::hash {

/// CRC-32 as gzip has it (ISO 3309), of bytes that come in pieces: `before` is that of the pieces before, 0
/// for none. It finds damage (any bit, any run of up to 32 bits), and proves nothing against intent.
std::uint32_t crc32(std::uint32_t before, std::span<const std::byte> data);

}  // namespace airgap::hash
