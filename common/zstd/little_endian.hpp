#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

// Numbers as zstd writes them, lowest byte first.
namespace airgap::zstd {

inline void append_le(std::string& out, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 0xff);
}

/// `bytes` is at most four, and `from` has as many.
inline std::uint32_t read_le(std::span<const std::byte> from, std::size_t bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) value |= std::to_integer<std::uint32_t>(from[i]) << (8 * i);
  return value;
}

}  // namespace airgap::zstd
