#include "common/io/directory.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "common/diag/error.hpp"
#include "common/raii/c_handle.hpp"

namespace airgap::io {
namespace {

constexpr int k_directory_flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
constexpr mode_t k_directory_mode = 0755;
constexpr mode_t k_file_mode = 0644;

/// A directory on the way to a name does not exist.
class MissingDirectory : public diag::StorageError {
 public:
  using KindError::KindError;
};

[[noreturn]] void fail(int error, const std::string& what, const std::string& path) {
  if (error == ELOOP) {
    throw diag::UnsafeError("a symbolic link stands at " + path, "remove it: a bundle holds no links");
  }
  throw_errno(error, what + " " + path);
}

Entry entry_of(std::string name, const struct stat& status) {
  Entry entry;
  entry.name = std::move(name);
  entry.kind = S_ISREG(status.st_mode)   ? EntryKind::file
               : S_ISDIR(status.st_mode) ? EntryKind::directory
                                         : EntryKind::other;
  entry.size = static_cast<std::uint64_t>(status.st_size);
  entry.device = status.st_dev;
  entry.inode = status.st_ino;
  return entry;
}

std::string joined(const std::string& directory, std::string_view name) {
  return directory + (directory.ends_with('/') ? "" : "/") + std::string(name);
}

void check_component(std::string_view component) {
  if (component.empty() || component == "." || component == ".." || component.find('\0') != component.npos) {
    throw diag::InternalError("not a name inside a directory: '" + std::string(component) + "'");
  }
}

}  // namespace

Directory Directory::open(const std::string& path) {
  const int fd = ::open(path.c_str(), k_directory_flags);
  if (fd < 0) throw_errno(errno, "cannot open directory " + path);
  return Directory(File(fd, path));
}

Directory Directory::create_or_open(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error && error != std::errc::file_exists) throw_errno(error.value(), "cannot create directory " + path);
  return open(path);
}

std::string Directory::path_of(std::string_view name) const {
  return joined(path(), name);
}

// The directory that holds the last component of `name`, each step opened without following links.
File Directory::parent_of(std::string_view name, std::string& last) const {
  File current(::fcntl(m_handle.fd(), F_DUPFD_CLOEXEC, 0), path());
  if (current.fd() < 0) throw_errno(errno, "cannot open directory " + path());
  for (std::size_t slash = name.find('/'); slash != name.npos; slash = name.find('/')) {
    const std::string component(name.substr(0, slash));
    check_component(component);
    const std::string full = joined(current.path(), component);
    // O_NOFOLLOW together with O_DIRECTORY reports a link as ENOTDIR.
    const int fd = ::openat(current.fd(), component.c_str(), k_directory_flags | O_NOFOLLOW);
    if (fd < 0) {
      const int error = errno;
      struct stat status {};
      const bool link = error == ENOTDIR &&
                        ::fstatat(current.fd(), component.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
                        S_ISLNK(status.st_mode);
      if (error == ENOENT) throw MissingDirectory("there is no directory " + full);
      fail(link ? ELOOP : error, "cannot open directory", full);
    }
    current = File(fd, full);
    name.remove_prefix(slash + 1);
  }
  check_component(name);
  last = name;
  return current;
}

std::optional<File> Directory::find_file(std::string_view name) const {
  if (!stat(name)) return std::nullopt;
  return open_file(name);
}

File Directory::open_file(std::string_view name) const {
  std::string last;
  const File parent = parent_of(name, last);
  // O_NONBLOCK: opening a pipe that somebody planted must not hang.
  const int fd =
      ::openat(parent.fd(), last.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) fail(errno, "cannot open", path_of(name));
  File file(fd, path_of(name));
  struct stat status {};
  if (::fstat(fd, &status) != 0) fail(errno, "cannot examine", file.path());
  if (!S_ISREG(status.st_mode)) throw diag::UnsafeError(file.path() + " is not a regular file");
  return file;
}

File Directory::create_file(std::string_view name) const {
  std::string last;
  const File parent = parent_of(name, last);
  const int fd =
      ::openat(parent.fd(), last.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, k_file_mode);
  if (fd < 0) fail(errno, "cannot create", path_of(name));
  return {fd, path_of(name)};
}

File Directory::open_for_update(std::string_view name) const {
  std::string last;
  const File parent = parent_of(name, last);
  const int fd = ::openat(parent.fd(), last.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, k_file_mode);
  if (fd < 0) fail(errno, "cannot open for writing", path_of(name));
  return {fd, path_of(name)};
}

std::optional<Entry> Directory::stat(std::string_view name) const {
  std::string last;
  try {
    const File parent = parent_of(name, last);
    struct stat status {};
    if (::fstatat(parent.fd(), last.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0)
      return entry_of(last, status);
    if (errno == ENOENT) return std::nullopt;
    fail(errno, "cannot examine", path_of(name));
  } catch (const MissingDirectory&) {
    return std::nullopt;
  }
}

std::vector<Entry> Directory::list(std::string_view name) const {
  std::string last;
  const std::string inside = name.empty() ? "x" : std::string(name) + "/x";
  const File here = parent_of(inside, last);
  // A descriptor of its own: the stream keeps a position, and closedir closes it.
  const int fd = ::openat(here.fd(), ".", k_directory_flags);
  if (fd < 0) fail(errno, "cannot list", here.path());
  const raii::CHandle<DIR, closedir> stream(::fdopendir(fd));
  if (!stream) {
    ::close(fd);
    fail(errno, "cannot list", here.path());
  }
  std::vector<Entry> entries;
  for (;;) {
    errno = 0;
    const dirent* item = ::readdir(stream.get());
    if (item == nullptr) break;
    const std::string_view entry_name = item->d_name;
    if (entry_name == "." || entry_name == "..") continue;
    struct stat status {};
    if (::fstatat(fd, item->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
      entries.push_back(entry_of(std::string(entry_name), status));
    } else if (errno != ENOENT) {
      fail(errno, "cannot examine", joined(here.path(), entry_name));
    }
  }
  if (errno != 0) fail(errno, "cannot list", here.path());
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.name < b.name; });
  return entries;
}

void Directory::make_directories(std::string_view name) const {
  for (std::size_t end = name.find('/');; end = name.find('/', end + 1)) {
    const std::string_view prefix = name.substr(0, end);
    std::string last;
    const File parent = parent_of(prefix, last);
    if (::mkdirat(parent.fd(), last.c_str(), k_directory_mode) != 0 && errno != EEXIST) {
      fail(errno, "cannot create directory", path_of(prefix));
    }
    if (end == name.npos) break;
  }
  sync(name);  // also proves that it is a directory and no link
}

void Directory::rename(std::string_view from, std::string_view to) const {
  std::string last_from;
  std::string last_to;
  const File parent_from = parent_of(from, last_from);
  const File parent_to = parent_of(to, last_to);
  if (::renameat(parent_from.fd(), last_from.c_str(), parent_to.fd(), last_to.c_str()) != 0) {
    fail(errno, "cannot rename " + std::string(from) + " to", path_of(to));
  }
}

bool Directory::hard_link(std::string_view from, std::string_view to) const {
  std::string last_from;
  std::string last_to;
  const File parent_from = parent_of(from, last_from);
  const File parent_to = parent_of(to, last_to);
  if (::linkat(parent_from.fd(), last_from.c_str(), parent_to.fd(), last_to.c_str(), 0) == 0) return true;
  // FAT and FUSE say EPERM, ENOSYS or EOPNOTSUPP, a file with its most links EMLINK.
  if (errno == EPERM || errno == ENOSYS || errno == EOPNOTSUPP || errno == EMLINK || errno == EXDEV)
    return false;
  fail(errno, "cannot link " + std::string(from) + " to", path_of(to));
}

void Directory::remove_file(std::string_view name) const {
  if (!stat(name)) return;
  std::string last;
  const File parent = parent_of(name, last);
  if (::unlinkat(parent.fd(), last.c_str(), 0) != 0 && errno != ENOENT)
    fail(errno, "cannot remove", path_of(name));
}

void Directory::remove_directory(std::string_view name) const {
  if (!stat(name)) return;
  std::string last;
  const File parent = parent_of(name, last);
  if (::unlinkat(parent.fd(), last.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) {
    fail(errno, "cannot remove directory", path_of(name));
  }
}

void Directory::sync(std::string_view name) const {
  std::string last;
  const File here = parent_of(name.empty() ? "x" : std::string(name) + "/x", last);
  if (::fsync(here.fd()) != 0 && errno != EINVAL && errno != ENOTSUP) fail(errno, "cannot sync", here.path());
}

void Directory::sync_file_system() const {
  if (::syncfs(m_handle.fd()) != 0) fail(errno, "cannot sync the file system of", path());
}

void Directory::write_atomically(std::string_view name, std::string_view bytes) const {
  const std::string temporary = std::string(name) + ".tmp";
  remove_file(temporary);
  try {
    File file = create_file(temporary);
    file.write_all(bytes_of(bytes));
    file.sync();
    file.close();
    rename(temporary, name);
  } catch (...) {
    std::string last;
    const File parent = parent_of(temporary, last);
    ::unlinkat(parent.fd(), last.c_str(), 0);
    throw;
  }
  const std::size_t slash = name.rfind('/');
  sync(slash == name.npos ? std::string_view{} : name.substr(0, slash));
}

std::string Directory::read_file(std::string_view name, std::size_t cap) const {
  const auto file = std::make_shared<const File>(open_file(name));
  if (file->size() > cap)  // a sparse file is large and costs nothing
    throw diag::UnsafeError(file->path() + " is larger than the limit of " + std::to_string(cap) + " bytes");
  FileRangeSource source(file, 0, file->size());
  return read_all(source, cap, file->path());
}

}  // namespace airgap::io
