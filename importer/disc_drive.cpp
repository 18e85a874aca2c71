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

#include "common/diag/log.hpp"
#include "common/io/file.hpp"
#include "common/text/escape.hpp"

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

DiscDrive::DiscDrive(std::vector<std::string> paths, const bundle::VolumeSet& set, cli::Context& context)
    : m_paths(std::move(paths)), m_of(set.volumes.begin()->second), m_context(context) {}

std::string DiscDrive::find(std::size_t number) {
  for (;;) {
    std::vector<std::string> others;
    for (const std::string& path : m_paths) {
      const bundle::VolumesNear near = bundle::volumes_near(path);
      for (const bundle::FoundVolume& volume : near.volumes) {
        const bool ours = bundle::same_bundle(volume, m_of);
        if (ours && volume.number == number && !volume.unfinished) return volume.path;
        if (!ours) {
          others.push_back(fmt::format("{}, and of another bundle", bundle::described(volume)));
        } else if (m_paths.size() == 1) {
          others.push_back(bundle::described(volume));
        }
      }
      for (const std::string& damaged : near.unreadable)
        others.push_back(fmt::format("{}: copy it again", bundle::unreadable_head(damaged)));
    }
    tell(fmt::format("volume {} of {} is wanted; {}", number, m_of.count,
                     others.empty() ? "it is in none of the places that were named"
                                    : fmt::format("{}", fmt::join(others, "; "))));
    tell("put it where the last one was and press ENTER, or type the file or folder that it is in");
    const auto line = read_line(m_context.stop);
    if (!line) {
      throw diag::IntegrityError(
          fmt::format("volume {} of {} is missing, and nobody says where it is", number, m_of.count),
          "run the same command again when it is at hand: what arrived is not sent again");
    }
    if (line->empty()) continue;
    std::error_code error;
    if (std::filesystem::exists(*line, error)) {
      m_paths.push_back(*line);
    } else {
      tell(fmt::format("there is no {}", text::escape(*line)));
    }
  }
}

}  // namespace airgap::importer
