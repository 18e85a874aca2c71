#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/io/file.hpp"

namespace airgap::io {

enum class EntryKind { file, directory, other };  ///< other: links, devices, pipes, sockets

struct Entry {
  std::string name;
  EntryKind kind = EntryKind::other;
  std::uint64_t size = 0;    ///< bytes, of files
  std::uint64_t device = 0;  ///< with `inode`: the same for every name of one file
  std::uint64_t inode = 0;
};

/// A directory held by a descriptor. Names are relative, of one or more components; no component may be a
/// symbolic link, "." or ".." (R100), so nothing in it can lead outside. Throws StorageError, and UnsafeError
/// where a link stands in the way.
class Directory {
 public:
  static Directory open(const std::string& path);  ///< the last component may be a link: the user named it
  static Directory create_or_open(const std::string& path);  ///< makes missing parents, 0755

  const std::string& path() const noexcept { return m_handle.path(); }
  std::string path_of(std::string_view name) const;

  File open_file(std::string_view name) const;                 ///< for reading, a regular file
  std::optional<File> find_file(std::string_view name) const;  ///< nothing when absent
  File create_file(std::string_view name) const;               ///< exclusively, 0644
  File open_for_update(
      std::string_view name) const;  ///< read and write, created when absent, never truncated
  std::optional<Entry> stat(std::string_view name) const;     ///< nothing when absent; does not follow links
  std::vector<Entry> list(std::string_view name = {}) const;  ///< sorted; of a subdirectory, or of this one

  void make_directories(std::string_view name) const;
  void rename(std::string_view from, std::string_view to) const;  ///< replaces `to`
  /// Gives the file `from` a second name. False where the file system has no (more) links for it.
  bool hard_link(std::string_view from, std::string_view to) const;
  void remove_file(std::string_view name) const;       ///< absent is fine
  void remove_directory(std::string_view name) const;  ///< empty; absent is fine
  /// fsync of a directory's own entries. File systems that cannot (exFAT by FUSE) are tolerated (R130).
  void sync(std::string_view name = {}) const;
  /// syncfs: everything written so far to this file system is on stable storage when it returns.
  void sync_file_system() const;

  /// Publishes a small file: temporary file beside it, sync, rename, sync of the directory.
  void write_atomically(std::string_view name, std::string_view bytes) const;
  /// A whole small file. Throws UnsafeError above `cap` bytes.
  std::string read_file(std::string_view name, std::size_t cap) const;

 private:
  explicit Directory(File handle) : m_handle(std::move(handle)) {}
  File parent_of(std::string_view name, std::string& last) const;
  File m_handle;
};

}  // namespace airgap::io
