#include "common/gzip/decompressing_source.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>
#include <utility>

#include "common/diag/error.hpp"
#include "common/io/ends_early.hpp"

namespace airgap::gzip {
namespace {

constexpr std::size_t k_step = std::size_t{128} * 1024;
constexpr std::byte k_first_byte{0x1f};       // of a member
constexpr int k_gzip_alone = 16 + MAX_WBITS;  // as inflateInit2() wants it

}  // namespace

void DecompressingSource::End::operator()(z_stream_s* stream) const noexcept {
  inflateEnd(stream);
  delete stream;
}

DecompressingSource::DecompressingSource(io::Source& input)
    : m_input(input), m_stream(new z_stream_s{}), m_buffer(k_step) {
  if (inflateInit2(m_stream.get(), k_gzip_alone) != Z_OK) throw std::bad_alloc();
}

bool DecompressingSource::fill() {
  const std::size_t count = m_input.read(m_buffer);
  m_in = std::span(m_buffer).first(count);
  m_read += count;
  return count != 0;
}

void DecompressingSource::begin_member() {
  if (inflateReset(m_stream.get()) != Z_OK) throw diag::InternalError("zlib does not begin anew");
  m_between_members = false;
}

std::size_t DecompressingSource::read(std::span<std::byte> out) {
  for (;;) {
    if (m_in.empty() && !fill()) {
      if (m_between_members) return 0;
      throw io::EndsEarly(fmt::format("the gzip data ends too early, after {} bytes", m_read),
                          "it is cut: copy or write it again");
    }
    if (m_between_members && m_has_member && m_in.front() != k_first_byte) {
      m_padding.take(std::exchange(m_in, {}));
      continue;
    }
    if (m_between_members) begin_member();
    const std::size_t room = std::min<std::size_t>(out.size(), std::numeric_limits<uInt>::max());
    m_stream->next_in = reinterpret_cast<Bytef*>(m_in.data());
    m_stream->avail_in = static_cast<uInt>(m_in.size());
    m_stream->next_out = reinterpret_cast<Bytef*>(out.data());
    m_stream->avail_out = static_cast<uInt>(room);
    const int result = inflate(m_stream.get(), Z_NO_FLUSH);
    m_in = m_in.last(m_stream->avail_in);
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
      const char* why = m_stream->msg != nullptr ? m_stream->msg : "it needs a dictionary";
      throw diag::IntegrityError(
          fmt::format("the gzip data near byte {} is damaged: {}", m_read - m_in.size(), why),
          "'gzip -t' says whether it was so from the start: make it again, or send it again");
    }
    m_between_members = result == Z_STREAM_END;
    m_has_member = m_has_member || m_between_members;
    if (const std::size_t produced = room - m_stream->avail_out; produced != 0) return produced;
  }
}

}  // namespace airgap::gzip
