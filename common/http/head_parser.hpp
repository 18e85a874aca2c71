#pragma once

#include <cstddef>
#include <string_view>

#include "common/http/message.hpp"

namespace airgap::http {

/// The largest heads of one answer, 1xx included, in bytes (R22).
inline constexpr std::size_t k_max_head = std::size_t{300} * 1024;

/// Collects the header lines of an answer as they arrive. Informational answers (1xx) are passed over, and
/// trailers after the final head are ignored. Throws TransferError for an oversized head or an ambiguous
/// length (R6).
class HeadParser {
 public:
  void line(std::string_view line);  ///< with its line end; the empty line ends a head
  bool complete() const noexcept { return m_complete; }
  const ResponseHead& head() const noexcept { return m_head; }
  ResponseHead& head() noexcept { return m_head; }

 private:
  void take(std::string_view line);
  void start(std::string_view status_line);
  void field(std::string_view line);

  ResponseHead m_head;
  std::size_t m_size = 0;  // bytes
  bool m_complete = false;
};

}  // namespace airgap::http
