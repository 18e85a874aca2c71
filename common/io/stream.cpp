#include "common/io/stream.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "common/diag/error.hpp"

namespace airgap::io {

std::uint64_t pump(Source& from, Sink& to) {
  std::vector<std::byte> buffer(k_pump_buffer);
  std::uint64_t total = 0;
  while (const std::size_t count = from.read(buffer)) {
    to.write(std::span(buffer).first(count));
    total += count;
  }
  return total;
}

std::string read_all(Source& from, std::size_t cap, std::string_view what) {
  std::string text;
  std::vector<std::byte> buffer(std::max(k_min_read, std::min(cap + 1, k_pump_buffer)));
  while (const std::size_t count = from.read(buffer)) {
    if (count > cap - text.size()) {
      throw diag::UnsafeError(std::string(what) + " is larger than the limit of " + std::to_string(cap) +
                              " bytes");
    }
    text.append(text_of(std::span(buffer).first(count)));
  }
  return text;
}

std::size_t MemorySource::read(std::span<std::byte> out) {
  const std::size_t count = std::min(out.size(), m_rest.size());
  if (count != 0) std::memcpy(out.data(), m_rest.data(), count);
  m_rest.remove_prefix(count);
  return count;
}

}  // namespace airgap::io
