#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace airgap::io {

/// The largest file that FAT holds, in bytes: its size field has 32 bits.
inline constexpr std::uint64_t k_largest_fat_file = 0xFFFF'FFFF;
/// What FAT holds that survives a repair, in bytes: fsck.vfat (dosfstools 4.2) takes a file that reaches into
/// the last cluster below 4 GiB for empty, and cuts it to nothing. No usual cluster is larger than 64 KiB.
inline constexpr std::uint64_t k_repairable_fat_file = (std::uint64_t{4} << 30) - (std::uint64_t{64} << 10);

/// What the operating system tells of the file system that a directory lies on, and of the medium below it. A
/// plain value.
struct Medium {
  std::string file_system;  ///< "vfat", "exfat", "ntfs", "ext4", "nfs4", …; empty when nobody says
  bool removable = false;   ///< a stick, a card, a disc, whatever hangs on USB; encrypted or not
  bool built_in = false;    ///< a disk that is not; neither where nobody says (FUSE, networks)
  bool read_only = false;
  std::optional<std::uint64_t> total_bytes;   ///< nothing where the file system does not tell
  std::optional<std::uint64_t> free_bytes;    ///< for this user
  std::optional<std::uint64_t> free_files;    ///< how many more it takes; nothing where it has no such limit
  std::uint64_t block = 1;                    ///< bytes that a file's size is rounded up to
  std::optional<std::uint64_t> largest_file;  ///< in bytes, where something limits it below any real file
  bool limited_by_user = false;  ///< `largest_file` comes from `ulimit -f`, not from the file system

  bool is_fat() const noexcept { return file_system == "vfat"; }  ///< FAT12, FAT16 or FAT32; exFAT is not
  /// Whether a file has no holes: writing behind its end writes zeros up to there first.
  bool fills_gaps() const noexcept { return is_fat() || file_system == "exfat"; }
  std::string_view forbidden_characters() const noexcept;  ///< in names, besides '/'
  bool in_memory() const noexcept { return file_system == "tmpfs" || file_system == "ramfs"; }
  /// How many files with names of `name_length` characters one directory holds; nothing: any number.
  std::optional<std::uint64_t> files_in_directory(std::size_t name_length) const;
};

/// Looks only, and needs no rights; what cannot be found out is left open. Throws StorageError when the
/// medium itself does not answer.
Medium medium_of(const std::string& directory);

// What medium_of() is made of.

/// One line of /proc/self/mountinfo.
struct Mount {
  std::string file_system;  ///< as the kernel calls it: "vfat", "fuseblk", "fuse.sshfs"
  std::string source;       ///< "/dev/sdb1"; not a path where it is no device
  std::string device;       ///< "8:17"
  bool read_only = false;   ///< the mount, or the file system in it
};
std::optional<Mount> find_mount(std::string_view mountinfo, std::uint64_t mount_id);

/// Whether the block device "MAJOR:MINOR" can be carried away. `sys` is where sysfs is mounted.
bool is_removable(const std::string& device, const std::string& sys = "/sys");
/// Whether there is a disk below it, and none that can be carried away. Loop devices are none.
bool is_built_in(const std::string& device, const std::string& sys = "/sys");

}  // namespace airgap::io
