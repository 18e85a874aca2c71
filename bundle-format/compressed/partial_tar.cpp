#include "bundle-format/compressed/partial_tar.hpp"

#include <string>
#include <utility>

#include "common/diag/error.hpp"
#include "common/hash/hasher.hpp"

namespace airgap::bundle::compressed {

PartialTar::PartialTar(const std::shared_ptr<const io::File>& file, const ArchivePlan& plan,
                       std::vector<zstd::Frame> frames, std::stop_token stop)
    : m_plan(plan),
      m_stop(std::move(stop)),
      m_table(frames),
      m_reader(file),
      m_content(zstd::k_max_content + io::k_min_read) {
  m_left.there.frames = std::move(frames);
}

std::optional<PartialTar::Left> PartialTar::read() {
  const std::size_t files = m_plan.metadata.size();
  for (std::size_t i = 0; i < files; ++i) {
    const tar::Place& place = m_plan.layout.places[i];
    if (!take(place.end() - place.header, [](auto) {})) return std::nullopt;
  }
  keep();
  while (m_left.blobs < m_plan.blobs.size() && read_before(m_left.blobs) && read_blob(m_left.blobs)) {
    keep();
    ++m_left.blobs;
  }
  m_left.there.frames.resize(m_kept);
  return std::move(m_left);
}

std::span<const std::byte> PartialTar::decode(std::size_t frame) {
  if (m_stop.stop_requested()) throw diag::Interrupted();
  m_reader.begin(m_table[frame]);
  std::size_t filled = 0;
  while (!m_reader.at_end()) filled += m_reader.read(std::span(m_content).subspan(filled));
  m_left.there.frames[frame].check = m_reader.check();
  return std::span(m_content).first(filled);
}

template <class Take>
bool PartialTar::take(std::uint64_t length, Take&& take_content) {
  while (length > 0) {
    if (m_read == m_table.count()) return false;
    try {
      const auto content = decode(m_read);
      length -= content.size();
      take_content(content);
    } catch (const diag::IntegrityError&) {
      return false;
    }
    ++m_read;
  }
  return true;
}

bool PartialTar::read_before(std::size_t blob) {
  const tar::Place& place = m_plan.place_of(blob);
  const std::uint64_t begin = blob == 0 ? m_plan.layout.places[m_plan.metadata.size() - 1].end()
                                        : m_plan.place_of(blob - 1).data + m_plan.place_of(blob - 1).size;
  const std::string expected =
      std::string(static_cast<std::size_t>(place.header - begin), '\0') + m_plan.header_of(blob);
  std::string found;
  return take(expected.size(), [&](auto content) { found += io::text_of(content); }) && found == expected;
}

// The front of a blob may be wrong where it is not whole: its digest tells in the end.
bool PartialTar::read_blob(std::size_t index) {
  const Blob& blob = m_plan.blobs[index];
  BegunBlob begun{.bytes = 0, .hasher = hash::Hasher(blob.digest.algorithm())};
  const bool whole = take(blob.stored_size, [&](auto content) {
    if (begun.bytes == 0) m_left.there.effort = effort_for(content);
    begun.hasher.update(content);
    begun.bytes += content.size();
  });
  if (whole) return begun.hasher.finish() == blob.digest;
  if (begun.bytes > 0 && blob.kind != BlobKind::manifest) {
    keep();
    m_left.next = std::move(begun);
  }
  return false;
}

}  // namespace airgap::bundle::compressed
