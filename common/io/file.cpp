#include "common/io/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "common/diag/error.hpp"
#include "common/text/escape.hpp"

namespace airgap::io {
namespace {

std::string hint_for(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "free some space or choose another place; a rerun continues";
    case EROFS:
      return "the medium is read-only (a write error may have made it so); check it and mount it for writing";
    case EACCES:
    case EPERM:
      return "run as a user who may do that, change the owner or the mode, or choose another place";
    case EIO:
    case ENODEV:
    case ENXIO:
      return "the medium failed or went away; check it, put it back and run again, or use another one";
    case EMFILE:
    case ENFILE:
      return "too many open files: lower --jobs or raise 'ulimit -n'";
    case EFBIG:
      return "the file system or a limit refuses files of this size";
    default:
      return {};
  }
}

// Calls `transfer` until all is moved or it returns 0; EINTR is not a failure. Returns the bytes moved.
template <class Transfer>
std::size_t move_all(std::size_t size, const std::string& what, Transfer&& transfer) {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t count = transfer(done);
    if (count > 0) {
      done += static_cast<std::size_t>(count);
    } else if (count == 0) {
      break;
    } else if (errno != EINTR) {
      throw_errno(errno, what);
    }
  }
  return done;
}

}  // namespace

void throw_errno(int error, const std::string& what) {
  constexpr std::size_t k_longest = 4096;  // a path is in it, from a medium maybe
  throw diag::StorageError(text::escape(what, k_longest) + ": " + std::generic_category().message(error),
                           hint_for(error));
}

File& File::operator=(File&& other) noexcept {
  std::swap(m_fd, other.m_fd);
  std::swap(m_path, other.m_path);
  return *this;
}

File::~File() {
  if (m_fd >= 0) ::close(m_fd);
}

File File::open_read(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
  if (fd < 0) throw_errno(errno, "cannot open " + path);
  return {fd, path};
}

std::uint64_t File::size() const {
  struct stat status {};
  if (::fstat(m_fd, &status) != 0) throw_errno(errno, "cannot examine " + m_path);
  return static_cast<std::uint64_t>(status.st_size);
}

std::uint64_t File::occupied(std::uint64_t length) const {
  struct stat status {};
  if (::fstat(m_fd, &status) != 0) throw_errno(errno, "cannot examine " + m_path);
  const auto end = static_cast<off_t>(std::min(length, static_cast<std::uint64_t>(status.st_size)));
  std::uint64_t bytes = 0;
  for (off_t at = 0; at < end;) {
    const off_t data = ::lseek(m_fd, at, SEEK_DATA);
    if (data < 0 || data >= end) break;  // a hole up to the end
    const off_t hole = ::lseek(m_fd, data, SEEK_HOLE);
    at = hole < 0 ? end : std::min(hole, end);
    bytes += static_cast<std::uint64_t>(at - data);
  }
  // Compressed by the file system it may be less; some that run as a program do not count blocks.
  constexpr std::uint64_t k_unit = 512;  // stat(2)
  const auto blocks = static_cast<std::uint64_t>(status.st_blocks) * k_unit;
  return blocks == 0 ? bytes : std::min(bytes, blocks);
}

std::size_t File::read_some(std::span<std::byte> out) {
  for (;;) {
    const ssize_t count = ::read(m_fd, out.data(), out.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) throw_errno(errno, "cannot read " + m_path);
  }
}

std::size_t File::read_at(std::uint64_t offset, std::span<std::byte> out) const {
  return move_all(out.size(), "cannot read " + m_path, [&](std::size_t done) {
    return ::pread(m_fd, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
  });
}

void File::write_all(std::span<const std::byte> data) {
  move_all(data.size(), "cannot write " + m_path,
           [&](std::size_t done) { return ::write(m_fd, data.data() + done, data.size() - done); });
}

void File::write_at(std::uint64_t offset, std::span<const std::byte> data) const {
  move_all(data.size(), "cannot write " + m_path, [&](std::size_t done) {
    return ::pwrite(m_fd, data.data() + done, data.size() - done, static_cast<off_t>(offset + done));
  });
}

void File::truncate(std::uint64_t size) const {
  if (::ftruncate(m_fd, static_cast<off_t>(size)) != 0) throw_errno(errno, "cannot resize " + m_path);
}

void File::sync() const {
  while (::fdatasync(m_fd) != 0) {
    if (errno == EINTR) continue;
    if (errno == EINVAL) return;  // a pipe or device that has nothing to sync
    throw_errno(errno, "cannot sync " + m_path);
  }
}

void File::start_writeback(std::uint64_t offset, std::uint64_t length) const noexcept {
  static_cast<void>(
      ::sync_file_range(m_fd, static_cast<off_t>(offset), static_cast<off_t>(length), SYNC_FILE_RANGE_WRITE));
}

void File::done_with(std::uint64_t offset, std::uint64_t length) const noexcept {
  static_cast<void>(
      ::posix_fadvise(m_fd, static_cast<off_t>(offset), static_cast<off_t>(length), POSIX_FADV_DONTNEED));
}

void File::close() {
  const int fd = std::exchange(m_fd, -1);
  if (fd >= 0 && ::close(fd) != 0 && errno != EINTR) throw_errno(errno, "cannot close " + m_path);
}

FileRangeSource::FileRangeSource(std::shared_ptr<const File> file, std::uint64_t offset, std::uint64_t length)
    : m_file(std::move(file)), m_offset(offset), m_end(offset + length) {}

std::size_t FileRangeSource::read(std::span<std::byte> out) {
  const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), m_end - m_offset));
  const std::size_t count = m_file->read_at(m_offset, out.first(wanted));
  m_offset += count;
  return count;
}

}  // namespace airgap::io
