#include "bundle-format/pipe_sink.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "common/diag/error.hpp"

namespace airgap::bundle {
namespace {

void ignore_sigpipe() {
  struct sigaction current {};
  if (::sigaction(SIGPIPE, nullptr, &current) != 0 || current.sa_handler != SIG_DFL) return;
  current.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &current, nullptr);
}

// The other end may have set the pipe to return at once (R142).
void wait_until_writable(int fd) {
  pollfd wanted{.fd = fd, .events = POLLOUT, .revents = 0};
  static_cast<void>(::poll(&wanted, 1, -1));
}

}  // namespace

PipeSink::PipeSink(io::File pipe) : m_pipe(std::move(pipe)) {
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
      wait_until_writable(m_pipe.fd());
    } else if (errno == EPIPE) {
      throw diag::StorageError(
          "the reader of the pipe went away",
          "see what the program behind the pipe says; a pipe starts from nothing each time");
    } else if (errno != EINTR) {
      io::throw_errno(errno, "cannot write " + m_pipe.path());
    }
  }
}

void PipeSink::finish() {
  m_pipe.sync();  // counts where standard output is a file
  m_pipe.close();
}

}  // namespace airgap::bundle
