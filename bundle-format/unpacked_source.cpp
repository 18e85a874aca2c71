#include "bundle-format/unpacked_source.hpp"

#include <algorithm>
#include <string_view>

namespace airgap::bundle {
namespace {

constexpr std::string_view k_zstd_magic = "\x28\xb5\x2f\xfd";

}  // namespace

std::span<const std::byte> UnpackedSource::Rewound::look(std::size_t count) {
  std::vector<std::byte> piece(io::k_min_read);
  while (m_front.size() < count) {
    const std::size_t got = m_input.read(piece);
    if (got == 0) break;
    m_front.insert(m_front.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(got));
  }
  return m_front;
}

std::size_t UnpackedSource::Rewound::read(std::span<std::byte> out) {
  if (m_given == m_front.size()) return m_input.read(out);
  const auto rest = std::span(m_front).subspan(m_given);
  const std::size_t count = std::min(rest.size(), out.size());
  std::ranges::copy(rest.first(count), out.begin());
  m_given += count;
  return count;
}

std::size_t UnpackedSource::read(std::span<std::byte> out) {
  if (!m_begun) {
    m_begun = true;
    if (io::text_of(m_input.look(k_zstd_magic.size())).starts_with(k_zstd_magic)) m_frames.emplace(m_input);
  }
  return m_frames ? m_frames->read(out) : m_input.read(out);
}

}  // namespace airgap::bundle
