#include "common/io/file_lock.hpp"

#include <sys/file.h>

#include <cerrno>

#include "common/diag/error.hpp"

namespace airgap::io {

FileLock::FileLock(const Directory& directory, std::string_view name) : m_file(directory.open_for_update(name)) {
  while (::flock(m_file.fd(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno == EWOULDBLOCK) {
      throw diag::BusyError("another run is writing " + directory.path(), "wait for it to end, then run again");
    }
    if (errno == ENOTSUP || errno == ENOLCK || errno == EINVAL) return;
    throw_errno(errno, "cannot lock " + m_file.path());
  }
}

}  // namespace airgap::io
