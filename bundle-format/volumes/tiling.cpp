#include "bundle-format/volumes/tiling.hpp"

#include <fmt/format.h>

#include <tuple>

#include "common/diag/error.hpp"

namespace airgap::bundle {
namespace {

[[noreturn]] void refuse(const Part& part, std::string_view why) {
  throw diag::UnsafeError(fmt::format("volume.json holds {} of {} bytes at {}: {}", part_path(part),
                                      part.size, part.offset, why));
}

}  // namespace

Tiling::Tiling(const BundleInfo& info) : m_info(info), m_parts(info.blobs.size()), m_lost(info.blobs.size()) {
  for (std::size_t i = 0; i < info.blobs.size(); ++i) m_index.emplace(info.blobs[i].digest, i);
}

void Tiling::add(const VolumeInfo& volume) {
  const bool gap = volume.number != m_last_volume + 1;
  if (volume.parts.empty() && !m_info.blobs.empty())
    throw diag::UnsafeError(fmt::format("volume {} holds nothing", volume.number));
  if (gap && !volume.parts.empty()) jump_to(volume.parts.front(), {m_last_volume + 1, volume.number - 1, {}});
  for (std::size_t i = 0; i < volume.parts.size(); ++i) take(volume.parts[i], {volume.number, i});
  m_last_volume = volume.number;
}

void Tiling::jump_to(const Part& part, Gap gap) {
  const auto found = m_index.find(part.digest);
  if (found == m_index.end()) refuse(part, "bundle.json does not have it");
  if (std::tie(found->second, part.offset) < std::tie(m_blob, m_offset))
    refuse(part, "an earlier volume has it");
  for (; m_blob < found->second; ++m_blob) lose(m_blob, gap);
  if (part.offset > 0) lose(m_blob, gap);
  m_offset = part.offset;
  m_after_gap = true;
  m_gaps.push_back(std::move(gap));
}

void Tiling::lose(std::size_t blob, Gap& gap) {
  m_lost[blob] = true;
  gap.blobs.push_back(m_info.blobs[blob].digest);
}

void Tiling::take(const Part& part, PartIndex at) {
  if (m_blob == m_info.blobs.size()) refuse(part, "all blobs are there already");
  const Blob& blob = m_info.blobs[m_blob];
  if (part.digest != blob.digest) refuse(part, fmt::format("{} comes next", blob.digest.str()));
  if (part.offset != m_offset) refuse(part, fmt::format("its byte {} comes next", m_offset));
  if (part.number == 0) {
    if (part.size != blob.stored_size) refuse(part, fmt::format("it has {} bytes", blob.stored_size));
  } else {
    if (!m_after_gap && part.number != m_last_piece + 1)
      refuse(part, fmt::format("piece {} comes next", m_last_piece + 1));
    if (part.size >= blob.stored_size || part.size > blob.stored_size - m_offset)
      refuse(part, fmt::format("that is too much of its {} bytes", blob.stored_size));
  }
  m_parts[m_blob].push_back(at);
  m_after_gap = false;
  m_last_piece = part.number;
  m_offset += part.size;
  if (m_offset < blob.stored_size) return;
  ++m_blob;
  m_offset = 0;
  m_last_piece = 0;
}

void Tiling::finish(std::size_t count) {
  if (m_last_volume == count) {
    if (m_blob < m_info.blobs.size())
      throw diag::UnsafeError(
          fmt::format("no volume holds byte {} of {}", m_offset, m_info.blobs[m_blob].digest.str()));
    return;
  }
  Gap gap{m_last_volume + 1, count, {}};
  for (; m_blob < m_info.blobs.size(); ++m_blob) lose(m_blob, gap);
  m_gaps.push_back(std::move(gap));
}

}  // namespace airgap::bundle
