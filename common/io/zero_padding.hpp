#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace airgap::io {

/// Zeros after the end of what is read in order: devices with blocks of a fixed length, and programs that
/// write for them (tapes, dd conv=sync), fill up the last one.
class ZeroPadding {
 public:
  static constexpr std::uint64_t k_most = std::uint64_t{1} << 20;  ///< bytes: the blocks of tapes are smaller

  /// `what` has ended: "the archive".
  explicit ZeroPadding(std::string_view what) : m_what(what) {}

  /// Counts `bytes`, the next ones. Throws IntegrityError where they are no zeros, or too many.
  void take(std::span<const std::byte> bytes);

 private:
  std::string_view m_what;
  std::uint64_t m_count = 0;
};

}  // namespace airgap::io
