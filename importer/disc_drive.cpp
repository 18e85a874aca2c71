#include "importer/disc_drive.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include "bundle-format/metadata/layout.hpp"
#include "common/diag/log.hpp"
#include "common/io/file.hpp"
#include "common/raii/scope_exit.hpp"
#include "common/text/escape.hpp"

namespace airgap::importer {
namespace {

namespace fs = std::filesystem;

void tell(const std::string& text) {
  diag::log("bundle", diag::LogLevel::warning, text);
}

/// A line without its end; nothing at the end of the input.
std::optional<std::string> read_line(const std::stop_token& stop) {
  constexpr int k_look_up = 100;  // milliseconds between looks at `stop`
  constexpr std::size_t k_longest = 4096;
  std::array<char, k_longest> line{};
  for (;;) {
    if (stop.stop_requested()) throw diag::Interrupted();
    pollfd wanted{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    if (::poll(&wanted, 1, k_look_up) <= 0) continue;
    const ssize_t count =
        ::read(STDIN_FILENO, line.data(), line.size());  // a terminal gives a line at a time
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count < 0) io::throw_errno(errno, "cannot read standard input");
    if (count == 0) return std::nullopt;
    const std::string_view text(line.data(), static_cast<std::size_t>(count));
    return std::string(text.substr(0, text.find('\n')));
  }
}

/// What was typed, or dragged into the terminal, without blanks and quotes around it.
std::string path_in(std::string_view line) {
  constexpr std::string_view k_blanks = " \t\r";
  line.remove_prefix(std::min(line.find_first_not_of(k_blanks), line.size()));
  line = line.substr(0, line.find_last_not_of(k_blanks) + 1);
  const bool quoted =
      line.size() > 1 && line.front() == line.back() && (line.front() == '\'' || line.front() == '"');
  return std::string(quoted ? line.substr(1, line.size() - 2) : line);
}

bool is_empty_directory(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return false;
  fs::directory_iterator entry(path, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    if (!bundle::is_system_dropping(entry->path().filename().string())) return false;
  }
  return !error;
}

}  // namespace

DiscDrive::DiscDrive(std::vector<std::string> places, cli::Context& context)
    : m_places(std::move(places)), m_context(context) {}

std::vector<std::string> DiscDrive::filled_places() {
  for (;;) {
    std::vector<std::string> filled;
    std::ranges::remove_copy_if(m_places, std::back_inserter(filled), is_empty_directory);
    if (!filled.empty()) return filled;
    const std::string where = text::escape(fmt::format("{}", fmt::join(m_places, ", ")));
    ask(fmt::format("there is nothing in {}: put the first disc or stick in", where),
        fmt::format("there is nothing in {}, and nobody says where the bundle is", where));
  }
}

void DiscDrive::ask(const std::string& question, const std::string& otherwise) {
  m_context.console.pause();
  const raii::ScopeExit resume([&] { m_context.console.resume(); });
  while (!m_closed) {
    tell(question);
    tell("put it where the last one was and press ENTER, or type the file or folder that it is in");
    const auto line = read_line(m_context.stop);
    if (!line) break;
    const std::string path = path_in(*line);
    std::error_code error;
    if (path.empty()) return;
    if (fs::exists(path, error)) {
      m_places.push_back(path);
      return;
    }
    tell(fmt::format("there is no {}", text::escape(path)));
  }
  m_closed = true;
  throw NobodyAnswers(otherwise,
                      "run the same command again when it is at hand: what arrived is not sent again");
}

}  // namespace airgap::importer
