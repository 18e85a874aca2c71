#include "common/io/file_lock.hpp"

#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <atomic>
#include <cerrno>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

#include "common/diag/error.hpp"
#include "common/diag/log.hpp"

namespace airgap::io {
namespace {

/// The process that has the lock, as the kernel says: a note of our own could be stale, and would be written
/// to the medium. 0 where it is one of another container, nothing where the kernel does not say: on another
/// machine, say.
std::optional<long> holder_of(const File& file) {
  struct stat status {};
  if (::fstat(file.fd(), &status) != 0) return std::nullopt;
  const std::string place =
      fmt::format("{:02x}:{:02x}:{}", major(status.st_dev), minor(status.st_dev), status.st_ino);
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words(line);
    std::string number, kind, advisory, access, inode;
    long process = 0;
    if (words >> number >> kind >> advisory >> access >> process >> inode && kind == "FLOCK" &&
        inode == place)
      return process;
  }
  return std::nullopt;
}

void warn_of_no_locks(const std::string& where) {
  static std::atomic<bool> warned = false;
  if (warned.exchange(true)) return;
  diag::log(
      "io", diag::LogLevel::warning,
      fmt::format("the file system has no lock for {}: two runs at once are not kept apart there, so let no "
                  "other run write to it",
                  where));
}

// False where the file system has no locks.
bool lock(const File& file, const std::string& where) {
  while (::flock(file.fd(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno == EWOULDBLOCK) {
      const long holder = holder_of(file).value_or(0);
      throw diag::BusyError(fmt::format("another run is writing {}{}", where,
                                        holder > 0 ? fmt::format(" (process {})", holder) : ""),
                            "wait for it to end, then run again");
    }
    if (errno == ENOTSUP || errno == ENOLCK || errno == EINVAL) {
      warn_of_no_locks(where);
      return false;
    }
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

bool is_locked(const std::string& path) {
  try {
    return holder_of(File::open_read(path)).has_value();
  } catch (const diag::StorageError&) {
    return false;
  }
}

}  // namespace airgap::io
