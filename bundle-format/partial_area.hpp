#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/hash/digest.hpp"
#include "common/io/directory.hpp"
#include "common/io/file_lock.hpp"

namespace airgap::bundle {

/// `.partial/` of a bundle directory: blobs on their way, and the lock that one run holds. Made by this
/// object it goes away with it, unless it is to be kept or something lies in it.
class PartialArea {
 public:
  /// `root` is borrowed. Throws BusyError when another run has the lock.
  explicit PartialArea(const io::Directory& root);
  ~PartialArea();
  PartialArea(const PartialArea&) = delete;
  PartialArea& operator=(const PartialArea&) = delete;

  /// The path of the file that a run which writes to the directory `root` locks.
  static std::string lock_in(const std::string& root);
  static std::string name_of(const hash::Digest& digest);  ///< ".partial/sha256-<hex>"
  /// What an earlier run left of a blob of `size` bytes; 0 for a file that is too long to be a part of it.
  static std::uint64_t bytes_of(const io::Directory& root, const hash::Digest& digest, std::uint64_t size);
  void keep() noexcept { m_kept = true; }  ///< there is, or will be, something to continue
  void remove();                           ///< with all that lies in it, and the lock last

 private:
  void remove_when_empty() const;

  const io::Directory& m_root;
  bool m_kept;
  std::optional<io::FileLock> m_lock;
};

}  // namespace airgap::bundle
