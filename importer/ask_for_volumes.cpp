#include "importer/ask_for_volumes.hpp"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>

#include "common/diag/log.hpp"
#include "common/io/file.hpp"

namespace airgap::importer {
namespace {

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

}  // namespace

std::unique_ptr<bundle::BundleReader> open_volumes_asking(std::vector<std::string> paths,
                                                          cli::Context& context) {
  std::string added;
  for (;;) {
    try {
      return bundle::open_bundle(paths);
    } catch (const bundle::MissingVolumes& missing) {
      if (::isatty(STDIN_FILENO) != 1) throw;
      tell(missing.message());
    } catch (const diag::Error& error) {
      if (added.empty()) throw;  // else it is about the path that was typed: another disc, say
      tell(error.message());
      paths.pop_back();
    }
    tell("where is the next volume? A file or a folder; ENTER looks again at what was named");
    const auto line = read_line(context.stop);
    if (!line) throw diag::IntegrityError("volumes are missing, and nobody names them");
    added = *line;
    if (!added.empty()) paths.push_back(added);
  }
}

}  // namespace airgap::importer
