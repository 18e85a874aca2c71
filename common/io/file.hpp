#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "common/io/stream.hpp"

namespace airgap::io {

/// An owning file descriptor that knows its path for messages. Failures are StorageError (exit 7) with the
/// path, the system's words and, where the disk is full, what to do. EINTR and short writes are looped over
/// (R142).
class File {
 public:
  File(int fd, std::string path) noexcept : m_fd(fd), m_path(std::move(path)) {}
  File(File&& other) noexcept : m_fd(std::exchange(other.m_fd, -1)), m_path(std::move(other.m_path)) {}
  File& operator=(File&& other) noexcept;
  ~File();

  /// O_NOFOLLOW on the last component.
  static File open_read(const std::string& path);

  int fd() const noexcept { return m_fd; }
  const std::string& path() const noexcept { return m_path; }
  std::uint64_t size() const;
  /// Bytes that its first `length` bytes take up on the medium: a hole takes none, and what was allocated
  /// and never written counts.
  std::uint64_t occupied(std::uint64_t length) const;

  std::size_t read_some(std::span<std::byte> out);  ///< 0 at the end
  std::size_t read_at(std::uint64_t offset,
                      std::span<std::byte> out) const;  ///< fills `out`; less only at the end
  void write_all(std::span<const std::byte> data);
  void write_at(std::uint64_t offset, std::span<const std::byte> data) const;
  void truncate(std::uint64_t size) const;
  void sync() const;  ///< fdatasync; a failure is final, the data is not to be believed (R123)
  /// Asks the kernel to begin writing this range out, so that a later sync is short. Never fails.
  void start_writeback(std::uint64_t offset, std::uint64_t length) const noexcept;
  /// Says that the range will not be read again. Never fails.
  void done_with(std::uint64_t offset, std::uint64_t length) const noexcept;
  void close();  ///< Reports what close() reports; the destructor does not.

 private:
  int m_fd;
  std::string m_path;
};

/// Reads the range [offset, offset + length) of a shared file. A file that ends early ends the source early.
class FileRangeSource : public Source {
 public:
  FileRangeSource(std::shared_ptr<const File> file, std::uint64_t offset, std::uint64_t length);
  std::size_t read(std::span<std::byte> out) override;

 private:
  std::shared_ptr<const File> m_file;
  std::uint64_t m_offset;
  std::uint64_t m_end;
};

/// The StorageError for the current `errno`, with a hint where one helps (ENOSPC, EROFS, EDQUOT, EIO,
/// EMFILE).
[[noreturn]] void throw_errno(int error, const std::string& what);

}  // namespace airgap::io
