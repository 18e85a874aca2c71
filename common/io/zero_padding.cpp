#include "common/io/zero_padding.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "common/diag/error.hpp"

namespace airgap::io {

void ZeroPadding::take(std::span<const std::byte> bytes) {
  constexpr auto k_hint =
      "one archive comes alone, but for zeros that fill up the last block: see what puts more behind it";
  const auto zero = [](std::byte byte) { return byte == std::byte{}; };
  const auto other = std::ranges::find_if_not(bytes, zero);
  if (other != bytes.end()) {
    const std::uint64_t zeros = m_count + static_cast<std::uint64_t>(other - bytes.begin());
    const std::string behind = zeros == 0 ? "" : fmt::format(", behind {} zeros", zeros);
    throw diag::IntegrityError(fmt::format("bytes follow the end of {}{}", m_what, behind), k_hint);
  }
  m_count += bytes.size();
  if (m_count > k_most)
    throw diag::IntegrityError(
        fmt::format("zeros follow the end of {}, more than the {} bytes that fill up a block", m_what,
                    k_most),
        k_hint);
}

}  // namespace airgap::io
