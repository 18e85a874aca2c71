#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace airgap::cli {

/// A line for in-place drawing: `columns` is what it takes on the terminal, colours not counted.
struct DrawnLine {
  std::string text;
  std::size_t columns = 0;
};

/// The process's two outputs and the block of lines drawn in place at the bottom of the second one. Whole
/// lines go out in one piece, above the block. The cursor is never hidden, so nothing can leave it so.
/// Thread-safe.
class Screen {
 public:
  Screen(int out, int err) : m_out(out), m_err(err) {}

  /// Lines to stdout or stderr, newlines included; false when not all could be written (errno says why).
  bool print_out(std::string_view text) { return print(m_out, text); }
  bool print_err(std::string_view text) { return print(m_err, text); }

  void draw(std::vector<DrawnLine> lines);  ///< replaces the block
  void clear() { draw({}); }

  int err() const noexcept { return m_err; }

 private:
  bool print(int fd, std::string_view text);
  std::size_t rows() const;  // that the block takes on the terminal as it is now
  std::string erase_sequence() const;
  std::string block() const;

  const int m_out;
  const int m_err;
  std::mutex m_mutex;
  std::vector<DrawnLine> m_lines;
};

/// Writes all of it; false with errno otherwise.
bool write_fully(int fd, std::string_view text);

}  // namespace airgap::cli
