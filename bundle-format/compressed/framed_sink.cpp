#include "bundle-format/compressed/framed_sink.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "common/diag/error.hpp"
#include "common/hash/crc32.hpp"
#include "common/zstd/check_table.hpp"
#include "common/zstd/seek_table.hpp"

namespace airgap::bundle::compressed {
namespace {

using namespace std::string_view_literals;

constexpr std::uint64_t k_write_out = std::uint64_t{8} << 20;  // bytes between two requests to write them out

/// gzip, zstd, xz, bzip2, zip, lz4.
constexpr std::array<std::string_view, 6> k_magics{"\x1f\x8b"sv,
                                                   "\x28\xb5\x2f\xfd"sv,
                                                   "\xfd"
                                                   "7zXZ\0"sv,
                                                   "BZh"sv,
                                                   "PK\x03\x04"sv,
                                                   "\x04\x22\x4d\x18"sv};

}  // namespace

zstd::Effort effort_for(std::span<const std::byte> front) {
  const bool compressed = std::ranges::any_of(
      k_magics, [&](std::string_view magic) { return io::text_of(front).starts_with(magic); });
  return compressed ? zstd::Effort::none : zstd::Effort::normal;
}

FramedSink::FramedSink(const io::File& file, const ArchivePlan& plan, FramesThere there)
    : m_file(file), m_cuts(plan), m_frames(std::move(there.frames)), m_effort(there.effort) {
  if (count_frames(plan) > zstd::k_max_frames)
    throw diag::UnsafeError("the bundle is too large for a compressed archive", "write FILE.tar instead");
  for (const zstd::Frame& frame : m_frames) {
    m_offset += frame.stored;
    m_cuts.advance();
  }
  m_file.truncate(m_offset);
  m_started = m_offset;
  m_buffer.reserve(zstd::k_max_content);
}

void FramedSink::write(std::span<const std::byte> data) {
  while (!data.empty()) {
    const auto cut = m_cuts.next();
    if (!cut) throw diag::InternalError("an archive was written beyond its end");
    const auto missing = static_cast<std::size_t>(cut->end - cut->begin) - m_buffer.size();
    const auto taken = data.first(std::min(missing, data.size()));
    m_buffer.insert(m_buffer.end(), taken.begin(), taken.end());
    data = data.subspan(taken.size());
    if (taken.size() == missing) write_frame(*cut);
  }
}

void FramedSink::write_frame(const FrameCuts::Cut& cut) {
  if (cut.first_of_blob) m_effort = effort_for(m_buffer);
  const auto frame = m_compressor.compress(m_buffer, cut.of_blob ? m_effort : zstd::Effort::normal);
  append(frame);
  m_frames.push_back({.stored = static_cast<std::uint32_t>(frame.size()),
                      .content = static_cast<std::uint32_t>(m_buffer.size()),
                      .check = hash::crc32(0, frame)});
  m_buffer.clear();
  m_cuts.advance();
}

void FramedSink::append(std::span<const std::byte> data) {
  m_file.write_at(m_offset, data);
  m_offset += data.size();
  if (m_offset - m_started < k_write_out) return;
  m_file.start_writeback(m_started, m_offset - m_started);
  m_started = m_offset;
}

void FramedSink::take_back(std::uint64_t offset) {
  m_buffer.clear();
  m_cuts.restart();
  std::size_t kept = 0;
  std::uint64_t stored = 0;
  for (auto cut = m_cuts.next(); cut && cut->begin < offset; cut = m_cuts.next()) {
    stored += m_frames.at(kept++).stored;
    m_cuts.advance();
  }
  m_frames.resize(kept);
  m_offset = stored;
  m_started = std::min(m_started, m_offset);
  m_file.truncate(m_offset);
}

void FramedSink::finish() {
  if (m_cuts.next()) throw diag::InternalError("an archive was sealed before its end");
  append(io::bytes_of(zstd::check_table(m_frames)));
  append(io::bytes_of(zstd::seek_table(m_frames)));
}

}  // namespace airgap::bundle::compressed
