#include "bundle-format/volumes/pieces_source.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/diag/error.hpp"

namespace airgap::bundle {

PiecesSource::PiecesSource(OpenVolume open, std::vector<Stretch> stretches)
    : m_open(std::move(open)), m_stretches(std::move(stretches)) {}

std::size_t PiecesSource::read(std::span<std::byte> out) {
  while (m_current < m_stretches.size() && m_done == m_stretches[m_current].length) {
    finish_stretch();
  }
  if (m_current == m_stretches.size()) return 0;
  const Stretch& stretch = m_stretches[m_current];
  if (!m_file) m_file = m_open(stretch.volume);
  if (m_done == 0 && stretch.sha256) m_hasher.emplace(hash::Algorithm::sha256);
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), stretch.length - m_done));
  const std::size_t count = m_file->read_at(stretch.offset + m_done, out.first(wanted));
  if (count == 0)
    throw diag::IntegrityError(
        fmt::format("{} ends at byte {}, in the middle of a blob", m_file->path(), stretch.offset + m_done),
        "it is cut: copy or write it again");
  m_done += count;
  if (m_hasher) m_hasher->update(out.first(count));
  return count;
}

void PiecesSource::finish_stretch() {
  const Stretch& stretch = m_stretches[m_current];
  if (stretch.sha256 && stretch.length > 0) {
    const hash::Digest found = m_hasher->finish();
    if (found != *stretch.sha256)
      throw diag::IntegrityError(
          fmt::format("{}: the {} bytes at {} are damaged: expected {}, found {}", m_file->path(),
                      stretch.length, stretch.offset, stretch.sha256->str(), found.str()),
          "copy this volume again");
  }
  m_hasher.reset();
  m_file.reset();
  m_done = 0;
  ++m_current;
}

std::vector<Stretch> without_front(std::vector<Stretch> stretches, std::uint64_t offset) {
  std::vector<Stretch> rest;
  for (Stretch& stretch : stretches) {
    const std::uint64_t cut = std::min(offset, stretch.length);
    offset -= cut;
    if (cut == stretch.length) continue;
    if (cut > 0) stretch.sha256.reset();
    rest.push_back({stretch.volume, stretch.offset + cut, stretch.length - cut, stretch.sha256});
  }
  return rest;
}

}  // namespace airgap::bundle
