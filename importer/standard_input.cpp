#include "importer/standard_input.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "common/diag/error.hpp"

namespace airgap::importer {
namespace {

io::File duplicate_input() {
  if (::isatty(STDIN_FILENO) == 1) {
    throw diag::UsageError("standard input is a terminal", "send a bundle through a pipe: … | airgap-import push - REGISTRY");
  }
  const int fd = ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
  if (fd < 0) io::throw_errno(errno, "cannot read standard input");
  return {fd, "standard input"};
}

}  // namespace

StandardInput::StandardInput() : m_file(duplicate_input()) {}

}  // namespace airgap::importer
