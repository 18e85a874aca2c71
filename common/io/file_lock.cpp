#include "common/io/file_lock.hpp"

#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <string>

#include "common/diag/error.hpp"

namespace airgap::io {
namespace {

/// " (process 123)", as the kernel says: a note of our own could be stale, and would be written to the
/// medium. Nothing where it does not say: on another machine, in another container.
std::string holder_of(const File& file) {
  struct stat status {};
  if (::fstat(file.fd(), &status) != 0) return {};
  const std::string place =
      fmt::format("{:02x}:{:02x}:{}", major(status.st_dev), minor(status.st_dev), status.st_ino);
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words(line);
    std::string number, kind, advisory, access, inode;
    long process = 0;
    if (words >> number >> kind >> advisory >> access >> process >> inode && kind == "FLOCK" &&
        inode == place && process > 0)
      return fmt::format(" (process {})", process);
  }
  return {};
}

// False where the file system has no locks.
bool lock(const File& file, const std::string& where) {
  while (::flock(file.fd(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno == EWOULDBLOCK) {
      throw diag::BusyError("another run is writing " + where + holder_of(file),
                            "wait for it to end, then run again");
    }
    if (errno == ENOTSUP || errno == ENOLCK || errno == EINVAL) return false;
    throw_errno(errno, "cannot lock " + file.path());
  }
  return true;
}

// False when a run that just ended removed or renamed the file between our opening and our locking it: the
// lock is then on a file that nobody else will look at.
bool still_there(const File& locked, const Directory& directory, std::string_view name) {
  const auto current = directory.find_file(name);
  struct stat ours {};
  struct stat theirs {};
  return current && ::fstat(locked.fd(), &ours) == 0 && ::fstat(current->fd(), &theirs) == 0 &&
         ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

}  // namespace

FileLock::FileLock(const Directory& directory, std::string_view name)
    : m_file(directory.open_for_update(name)) {
  while (lock(m_file, directory.path_of(name)) && !still_there(m_file, directory, name)) {
    m_file = directory.open_for_update(name);
  }
}

}  // namespace airgap::io
