#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/io/stream.hpp"

namespace airgap::bundle {

/// Counted reads from a Source, never past what was asked for. An end before that is io::EndsEarly, which
/// says where. `input` is borrowed; used by one thread at a time.
class ExactReader {
 public:
  explicit ExactReader(io::Source& input);

  /// The next bytes; the caller has bounded `count`. The view of peek() holds until the next call; at most
  /// k_pump_buffer.
  std::string take(std::uint64_t count, std::string_view what);
  std::string_view peek(std::size_t count, std::string_view what);
  std::string_view peek_at_most(std::size_t count);  ///< fewer only where the input ends

  /// Between one byte and `out.size()` of the next `at_most` (not 0) bytes.
  std::size_t read_some(std::span<std::byte> out, std::uint64_t at_most, std::string_view what);
  /// Throws IntegrityError unless the next bytes are these; `what` names them.
  void expect(std::string_view bytes, std::string_view what);
  void expect_zeros(std::uint64_t count, std::string_view what);
  bool at_end();

  std::uint64_t position() const noexcept { return m_position; }  ///< bytes taken so far

 private:
  bool fill();  ///< false at the end of the input
  std::string_view buffered() const;
  [[noreturn]] void fail_at_end(std::string_view what) const;

  io::Source& m_input;
  std::vector<std::byte> m_buffer;
  std::size_t m_begin = 0;
  std::size_t m_end = 0;
  std::uint64_t m_position = 0;
};

}  // namespace airgap::bundle
