#include "common/zstd/frame_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/diag/error.hpp"
#include "common/hash/crc32.hpp"

namespace airgap::zstd {
namespace {

constexpr std::size_t k_step = std::size_t{128} * 1024;  // bytes read at once

}  // namespace

void FrameReader::begin(const FrameTable::Place& place) {
  m_place = place;
  m_stored_left = place.frame.stored;
  m_content_left = place.frame.content;
  m_check = 0;
  m_in = {};
  check_header();
}

std::size_t FrameReader::read(std::span<std::byte> out) {
  const auto wanted = out.first(std::min<std::size_t>(out.size(), m_content_left));
  std::size_t count = 0;
  bool ended = false;
  while (count == 0) ended = step(wanted, count);
  m_content_left -= static_cast<std::uint32_t>(count);
  std::size_t none = 0;
  while (m_content_left == 0 && !ended) ended = step({}, none);
  if (!ended) return count;
  if (m_content_left != 0 || m_stored_left != 0 || !m_in.empty()) fail("it ends before its length");
  if (m_place.frame.check && *m_place.frame.check != m_check)
    fail("its bytes are not those that were written");
  return count;
}

void FrameReader::check_header() {
  const std::string expected = frame_header(m_place.frame.content);
  std::array<std::byte, k_max_frame_header> front{};
  const auto found = std::span(front).first(expected.size());
  if (m_file->read_at(m_place.stored_at, found) != found.size() || io::text_of(found) != expected)
    fail("its header is not that of its length");
}

bool FrameReader::step(std::span<std::byte> out, std::size_t& count) {
  if (m_in.empty()) fill();
  const Decompressor::Step step = m_decompressor.step(m_in, out);
  if (!step.problem.empty()) fail(step.problem);
  if (m_in.empty() && step.produced == 0 && !step.frame_ended) fail("it goes on after its length");
  m_in = m_in.subspan(step.consumed);
  count += step.produced;
  return step.frame_ended;
}

void FrameReader::fill() {
  const std::uint64_t at = m_place.stored_at + m_place.frame.stored - m_stored_left;
  const std::size_t wanted = std::min<std::size_t>(m_stored_left, k_step);
  if (m_buffer.size() < wanted) m_buffer.resize(wanted);
  const std::size_t got = m_file->read_at(at, std::span(m_buffer).first(wanted));
  if (got != wanted) fail("the file ends in it");
  m_stored_left -= static_cast<std::uint32_t>(got);
  m_in = std::span(m_buffer).first(got);
  m_check = hash::crc32(m_check, m_in);
}

void FrameReader::fail(std::string_view why) const {
  throw diag::IntegrityError(
      fmt::format("the zstd frame at byte {} of {} is damaged: {}", m_place.stored_at, m_file->path(), why),
      "copy the file again; 'verify' lists all that is damaged and the images that it touches");
}

}  // namespace airgap::zstd
