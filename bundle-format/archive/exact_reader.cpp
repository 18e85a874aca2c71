#include "bundle-format/archive/exact_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "common/diag/error.hpp"
#include "common/io/ends_early.hpp"

namespace airgap::bundle {

ExactReader::ExactReader(io::Source& input) : m_input(input), m_buffer(io::k_pump_buffer) {}

std::string_view ExactReader::buffered() const {
  return io::text_of(std::span(m_buffer).subspan(m_begin, m_end - m_begin));
}

void ExactReader::fail_at_end(std::string_view what) const {
  throw io::EndsEarly(
      fmt::format("the archive ends in {}, after {} bytes", what, m_position + (m_end - m_begin)),
      "it is cut: copy or write it again");
}

bool ExactReader::fill() {
  if (m_buffer.size() - m_end < io::k_min_read) {
    std::memmove(m_buffer.data(), m_buffer.data() + m_begin, m_end - m_begin);
    m_end -= m_begin;
    m_begin = 0;
  }
  const std::size_t count = m_input.read(std::span(m_buffer).subspan(m_end));
  m_end += count;
  return count != 0;
}

std::string_view ExactReader::peek(std::size_t count, std::string_view what) {
  const std::string_view bytes = peek_at_most(count);
  if (bytes.size() < count) fail_at_end(what);
  return bytes;
}

std::string_view ExactReader::peek_at_most(std::size_t count) {
  while (m_end - m_begin < count && fill()) {
  }
  return buffered().substr(0, count);
}

std::size_t ExactReader::read_some(std::span<std::byte> out, std::uint64_t at_most, std::string_view what) {
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), at_most));
  std::size_t count = 0;
  if (m_begin == m_end && wanted >= io::k_min_read) {
    count = m_input.read(out.first(wanted));
    if (count == 0) fail_at_end(what);
  } else {
    if (m_begin == m_end && !fill()) fail_at_end(what);
    count = std::min(wanted, m_end - m_begin);
    std::memcpy(out.data(), m_buffer.data() + m_begin, count);
    m_begin += count;
    if (m_begin == m_end) m_begin = m_end = 0;
  }
  m_position += count;
  return count;
}

std::string ExactReader::take(std::uint64_t count, std::string_view what) {
  constexpr std::uint64_t k_step =
      std::uint64_t{4} * 1024 * 1024;  // a size that lies costs no more than what came
  std::string bytes;
  while (bytes.size() < count) {
    const std::size_t begin = bytes.size();
    bytes.resize(begin + static_cast<std::size_t>(std::min(k_step, count - begin)));
    auto rest = std::as_writable_bytes(std::span(bytes)).subspan(begin);
    while (!rest.empty()) rest = rest.subspan(read_some(rest, rest.size(), what));
  }
  return bytes;
}

void ExactReader::expect(std::string_view bytes, std::string_view what) {
  const std::uint64_t at = m_position;
  if (take(bytes.size(), what) != bytes)
    throw diag::IntegrityError(fmt::format("{} at byte {} is not as it was written", what, at));
}

void ExactReader::expect_zeros(std::uint64_t count, std::string_view what) {
  expect(std::string(static_cast<std::size_t>(count), '\0'), what);
}

bool ExactReader::at_end() {
  return m_begin == m_end && !fill();
}

}  // namespace airgap::bundle
