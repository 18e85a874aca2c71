#include "common/zstd/framed_file.hpp"

#include <algorithm>
#include <vector>

#include "common/zstd/frame_reader.hpp"

namespace airgap::zstd {
namespace {

constexpr std::size_t k_step = std::size_t{128} * 1024;  // bytes skipped at once

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
