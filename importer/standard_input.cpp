#include "importer/standard_input.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "common/diag/error.hpp"

namespace airgap::importer {
namespace {

io::File duplicate_input() {
  if (::isatty(STDIN_FILENO) == 1) {
    throw diag::UsageError("standard input is a terminal",
                           "send a bundle through a pipe: … | airgap-import push - REGISTRY");
  }
  const int fd = ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
  if (fd < 0) io::throw_errno(errno, "cannot read standard input");
  return {fd, "standard input"};
}

}  // namespace

StandardInput::StandardInput(std::stop_token stop) : m_file(duplicate_input()), m_stop(std::move(stop)) {}

std::size_t StandardInput::read(std::span<std::byte> out) {
  constexpr int k_look_up = 100;  // milliseconds between looks at `m_stop`
  for (;;) {
    if (m_stop.stop_requested()) throw diag::Interrupted();
    pollfd wanted{.fd = m_file.fd(), .events = POLLIN, .revents = 0};
    if (::poll(&wanted, 1, k_look_up) <= 0) continue;
    const ssize_t count = ::read(m_file.fd(), out.data(), out.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    // The other end may have set the pipe to return at once (R142).
    if (errno != EINTR && errno != EAGAIN) io::throw_errno(errno, "cannot read standard input");
  }
}

}  // namespace airgap::importer
