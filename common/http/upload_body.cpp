#include "common/http/upload_body.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "common/diag/error.hpp"

namespace airgap::http {

UploadBody::UploadBody(const Request& request) : m_open(request.open_body), m_size(request.body_size) {
  rewind();
}

void UploadBody::rewind() {
  m_source = m_open();
  m_left = m_size;
  m_small.clear();
  m_small_at = 0;
}

std::size_t UploadBody::read(std::span<std::byte> out) {
  if (m_small_at == m_small.size() && out.size() >= io::k_min_read) return read_source(out);
  if (m_small_at == m_small.size()) {
    m_small.resize(io::k_min_read);
    m_small.resize(read_source(m_small));
    m_small_at = 0;
  }
  const std::size_t count = std::min(out.size(), m_small.size() - m_small_at);
  if (count != 0) std::memcpy(out.data(), m_small.data() + m_small_at, count);
  m_small_at += count;
  return count;
}

std::size_t UploadBody::read_source(std::span<std::byte> out) {
  if (m_left == 0) return 0;
  const std::size_t count = m_source->read(out);
  if (count > m_left)
    throw diag::IntegrityError(fmt::format("the data to send is longer than its {} bytes", m_size));
  if (count == 0) {
    throw diag::IntegrityError(
        fmt::format("the data to send ended {} bytes before its {} bytes", m_left, m_size));
  }
  m_left -= count;
  if (m_left == 0) confirm_end();
  return count;
}

void UploadBody::confirm_end() {
  std::vector<std::byte> rest(io::k_min_read);
  if (m_source->read(rest) != 0) {
    throw diag::IntegrityError(fmt::format("the data to send is longer than its {} bytes", m_size));
  }
}

}  // namespace airgap::http
