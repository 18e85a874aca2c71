#include "bundle-format/unpacked_source.hpp"

#include <algorithm>

#include "common/gzip/decompressing_source.hpp"
#include "common/zstd/decompressing_source.hpp"

namespace airgap::bundle {

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
    const std::string_view front = io::text_of(m_input.look(k_zstd_magic.size()));
    if (front.starts_with(k_zstd_magic))
      m_decompressed = std::make_unique<zstd::DecompressingSource>(m_input);
    if (front.starts_with(k_gzip_magic))
      m_decompressed = std::make_unique<gzip::DecompressingSource>(m_input);
  }
  return m_decompressed ? m_decompressed->read(out) : m_input.read(out);
}

}  // namespace airgap::bundle
