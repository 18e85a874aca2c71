#include "bundle-format/pipe/pipe_sink.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

#include "common/diag/error.hpp"

namespace airgap::bundle {
namespace {

void ignore_sigpipe() {
  struct sigaction current {};
  if (::sigaction(SIGPIPE, nullptr, &current) != 0 || current.sa_handler != SIG_DFL) return;
  current.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &current, nullptr);
}

// A second opening of the same pipe, whose writes return when it is full: O_NONBLOCK on the first one would
// be set for everybody who shares it. What is no pipe, or cannot be opened so, stays as it is.
io::File without_blocking(io::File pipe) {
  struct stat status {};
  if (::fstat(pipe.fd(), &status) != 0 || !S_ISFIFO(status.st_mode)) return pipe;
  const int fd =
      ::open(fmt::format("/proc/self/fd/{}", pipe.fd()).c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return pipe;
  return {fd, pipe.path()};
}

void wait_until_writable(int fd, const std::stop_token& stop) {
  constexpr int k_look_up = 100;  // milliseconds between looks at `stop`
  pollfd wanted{.fd = fd, .events = POLLOUT, .revents = 0};
  static_cast<void>(::poll(&wanted, 1, k_look_up));
  if (stop.stop_requested()) throw diag::Interrupted();
}

}  // namespace

PipeSink::PipeSink(io::File pipe, std::stop_token stop)
    : m_pipe(without_blocking(std::move(pipe))), m_stop(std::move(stop)) {
  if (::isatty(m_pipe.fd()) == 1) {
    throw diag::UsageError("an archive is not written to a terminal",
                           "send the output to a program or a file, or name --output FILE.tar");
  }
  ignore_sigpipe();
}

void PipeSink::write(std::span<const std::byte> data) {
  while (!data.empty()) {
    const ssize_t count = ::write(m_pipe.fd(), data.data(), data.size());
    if (count >= 0) {
      data = data.subspan(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      wait_until_writable(m_pipe.fd(), m_stop);
    } else if (errno == EPIPE) {
      throw diag::StorageError(
          "the reader of the pipe went away",
          "see what the program behind the pipe says; a pipe starts from nothing each time");
    } else if (errno != EINTR) {
      throw diag::StorageError(
          fmt::format("cannot write {}: {}", m_pipe.path(), std::generic_category().message(errno)),
          "see where the output goes; a stream starts from nothing each time");
    }
  }
}

void PipeSink::finish() {
  m_pipe.sync();  // counts where standard output is a file
  m_pipe.close();
}

}  // namespace airgap::bundle
