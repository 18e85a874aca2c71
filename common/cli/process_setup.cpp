#include "common/cli/process_setup.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "common/diag/error.hpp"

namespace airgap::cli {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool k_sanitized = true;  // their leak check traces the process
#else
constexpr bool k_sanitized = false;
#endif

// Opened so that using it as what it stands for fails, as it does when it is closed.
void keep_descriptor(int fd, int flags) {
  if (::fcntl(fd, F_GETFD) == -1 && errno == EBADF) static_cast<void>(::open("/dev/null", flags));
}

}  // namespace

void set_up_process() {
  keep_descriptor(STDIN_FILENO, O_WRONLY);
  keep_descriptor(STDOUT_FILENO, O_RDONLY);
  keep_descriptor(STDERR_FILENO, O_RDONLY);
  if (::geteuid() != ::getuid() || ::getegid() != ::getgid()) {
    throw diag::CredentialsError("refusing to run setuid or setgid", "remove the bit, or run as that user");
  }
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  static_cast<void>(std::signal(SIGXFSZ, SIG_IGN));
  if (!k_sanitized) ::prctl(PR_SET_DUMPABLE, 0);
}

}  // namespace airgap::cli
