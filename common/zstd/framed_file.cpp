#include "common/zstd/framed_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/diag/error.hpp"
#include "common/zstd/decompressor.hpp"

namespace airgap::zstd {
namespace {

constexpr std::size_t k_step = std::size_t{128} * 1024;  // bytes read at once

/// The content of one frame after the other.
class FrameReader {
 public:
  explicit FrameReader(std::shared_ptr<const io::File> file)
      : m_file(std::move(file)), m_decompressor(k_max_content) {}

  void begin(const FrameTable::Place& place) {
    m_place = place;
    m_stored_left = place.frame.stored;
    m_content_left = place.frame.content;
    m_in = {};
    check_header();
  }
  bool at_end() const noexcept { return m_content_left == 0; }

  /// At least one byte, unless at_end().
  std::size_t read(std::span<std::byte> out) {
    const auto wanted = out.first(std::min<std::size_t>(out.size(), m_content_left));
    std::size_t count = 0;
    bool ended = false;
    while (count == 0) ended = step(wanted, count);
    m_content_left -= static_cast<std::uint32_t>(count);
    std::size_t none = 0;
    while (m_content_left == 0 && !ended) ended = step({}, none);
    if (ended && (m_content_left != 0 || m_stored_left != 0 || !m_in.empty()))
      fail("it ends before its length");
    return count;
  }

 private:
  void check_header() {
    const std::string expected = frame_header(m_place.frame.content);
    std::array<std::byte, k_max_frame_header> front{};
    const auto found = std::span(front).first(expected.size());
    if (m_file->read_at(m_place.stored_at, found) != found.size() || io::text_of(found) != expected)
      fail("its header is not that of its length");
  }

  bool step(std::span<std::byte> out, std::size_t& count) {
    if (m_in.empty()) fill();
    const Decompressor::Step step = m_decompressor.step(m_in, out);
    if (!step.problem.empty()) fail(step.problem);
    if (m_in.empty() && step.produced == 0 && !step.frame_ended) fail("it goes on after its length");
    m_in = m_in.subspan(step.consumed);
    count += step.produced;
    return step.frame_ended;
  }

  void fill() {
    const std::uint64_t at = m_place.stored_at + m_place.frame.stored - m_stored_left;
    const std::size_t wanted = std::min<std::size_t>(m_stored_left, k_step);
    if (m_buffer.size() < wanted) m_buffer.resize(wanted);
    const std::size_t got = m_file->read_at(at, std::span(m_buffer).first(wanted));
    if (got != wanted) fail("the file ends in it");
    m_stored_left -= static_cast<std::uint32_t>(got);
    m_in = std::span(m_buffer).first(got);
  }

  [[noreturn]] void fail(std::string_view why) const {
    throw diag::IntegrityError(
        fmt::format("the zstd frame at byte {} of {} is damaged: {}", m_place.stored_at, m_file->path(), why),
        "copy the file again; 'verify' lists all that is damaged and the images that it touches");
  }

  std::shared_ptr<const io::File> m_file;
  Decompressor m_decompressor;
  FrameTable::Place m_place;
  std::uint32_t m_stored_left = 0;
  std::uint32_t m_content_left = 0;
  std::vector<std::byte> m_buffer;
  std::span<const std::byte> m_in;
};

class ContentSource final : public io::Source {
 public:
  ContentSource(std::shared_ptr<const io::File> file, std::shared_ptr<const FrameTable> frames,
                std::uint64_t offset, std::uint64_t length)
      : m_frames(std::move(frames)),
        m_reader(std::move(file)),
        m_offset(offset),
        m_end(std::min(length, m_frames->content_size() - offset) + offset) {}

  std::size_t read(std::span<std::byte> out) override {
    if (m_offset == m_end) return 0;
    if (!m_open) open();
    const std::size_t count = m_reader.read(
        out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), m_end - m_offset))));
    m_offset += count;
    m_open = !m_reader.at_end();
    return count;
  }

 private:
  void open() {
    const FrameTable::Place place = (*m_frames)[m_frames->index_at(m_offset)];
    m_reader.begin(place);
    std::vector<std::byte> skipped(
        static_cast<std::size_t>(std::min<std::uint64_t>(k_step, m_offset - place.content_at)));
    for (std::uint64_t at = place.content_at; at < m_offset;)
      at += m_reader.read(std::span(skipped).first(
          static_cast<std::size_t>(std::min<std::uint64_t>(skipped.size(), m_offset - at))));
    m_open = true;
  }

  std::shared_ptr<const FrameTable> m_frames;
  FrameReader m_reader;
  std::uint64_t m_offset;
  std::uint64_t m_end;
  bool m_open = false;
};

}  // namespace

std::unique_ptr<io::Source> FramedFile::open(std::uint64_t offset, std::uint64_t length) const {
  return std::make_unique<ContentSource>(m_file, m_frames, std::min(offset, size()), length);
}

}  // namespace airgap::zstd
