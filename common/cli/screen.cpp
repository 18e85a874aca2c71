#include "common/cli/screen.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/cli/terminal.hpp"

namespace airgap::cli {

bool write_fully(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count >= 0) {
      text.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {  // somebody made the terminal non-blocking
      pollfd ready{fd, POLLOUT, 0};
      ::poll(&ready, 1, 1000);
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

std::size_t Screen::rows() const {
  const std::size_t columns = terminal_size(m_err).columns;
  std::size_t rows = 0;
  for (const DrawnLine& line : m_lines) {
    rows +=
        std::max<std::size_t>(1, (line.columns + columns - 1) / columns);  // made narrower, it has wrapped
  }
  return rows;
}

// Row by row, upwards: "erase below" from the first row would make tmux keep each frame in its history.
std::string Screen::erase_sequence() const {
  if (m_lines.empty()) return {};
  std::string text = "\r\x1b[2K";
  for (std::size_t row = 1; row < rows(); ++row) text += "\x1b[A\x1b[2K";
  return text;
}

// The cursor stays behind the last line.
std::string Screen::block() const {
  std::string text;
  for (const DrawnLine& line : m_lines) {
    if (!text.empty()) text += "\n";
    text += line.text + "\x1b[K";
  }
  return text;
}

void Screen::draw(std::vector<DrawnLine> lines) {
  const std::scoped_lock lock(m_mutex);
  if (m_lines.empty() && lines.empty()) return;
  std::string text;
  if (lines.size() == m_lines.size() && rows() == lines.size()) {  // written over, so nothing flickers
    text = lines.size() > 1 ? fmt::format("\r\x1b[{}A", lines.size() - 1) : "\r";
  } else {
    text = erase_sequence();
  }
  m_lines = std::move(lines);
  write_fully(m_err, text + block());
}

bool Screen::print(int fd, std::string_view text) {
  const std::scoped_lock lock(m_mutex);
  if (m_lines.empty()) return write_fully(fd, text);
  write_fully(m_err, erase_sequence());
  const bool written = write_fully(fd, text);
  const int error = errno;
  write_fully(m_err, block());
  errno = error;
  return written;
}

}  // namespace airgap::cli
