#include "common/io/medium.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include "common/io/file.hpp"

namespace airgap::io {
namespace {

namespace fs = std::filesystem;

/// A directory of FAT has at most 65,536 entries, "." and ".." among them. A name takes one for its short
/// form and one for each 13 characters of the long one.
constexpr std::uint64_t k_fat_entries = 65'534;
constexpr std::size_t k_fat_entry_characters = 13;
/// Devices below devices: a file system in LVM in LUKS on a partition is three.
constexpr int k_max_depth = 8;

/// A small file of /proc, /sys or /run; empty when there is none.
std::string text_of_file(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const std::size_t space = std::min(line.find(' '), line.size());
    if (space > 0) words.push_back(line.substr(0, space));
    line.remove_prefix(std::min(space + 1, line.size()));
  }
  return words;
}

bool has_option(std::string_view options, std::string_view wanted) {
  while (!options.empty()) {
    const std::size_t comma = std::min(options.find(','), options.size());
    if (options.substr(0, comma) == wanted) return true;
    options.remove_prefix(std::min(comma + 1, options.size()));
  }
  return false;
}

bool says_one(const fs::path& path) {
  return text_of_file(path).starts_with('1');
}

/// Whether `is` holds for a block device or one below it. It is given its folder in sysfs, and that of its
/// disk.
template <class Is>
bool any_below(const std::string& device, const std::string& sys, const Is& is, int depth = 0) {
  std::error_code error;
  const fs::path here = fs::canonical(fs::path(sys) / "dev/block" / device, error);
  if (error || depth > k_max_depth) return false;
  // A partition lies below its disk, which knows.
  const bool partition = fs::exists(here / "partition", error);
  if (is(here, partition ? here.parent_path() : here)) return true;
  for (const fs::directory_entry& below : fs::directory_iterator(here / "slaves", error)) {
    std::string number = text_of_file(below.path() / "dev");
    if (number.ends_with('\n')) number.pop_back();
    if (!number.empty() && any_below(number, sys, is, depth + 1)) return true;
  }
  return false;
}

/// "MAJOR:MINOR" of what is mounted: of some file systems the mount has a number of its own.
std::string device_of(const Mount& mount) {
  struct stat status {};
  if (mount.source.starts_with("/dev/") && ::stat(mount.source.c_str(), &status) == 0 &&
      S_ISBLK(status.st_mode)) {
    return std::to_string(major(status.st_rdev)) + ":" + std::to_string(minor(status.st_rdev));
  }
  return mount.device;
}

/// The kernel knows a file system that runs as a program only as "fuseblk"; udev has looked, else we do where
/// we may.
std::string file_system_of_device(const Mount& mount) {
  const std::string known = text_of_file("/run/udev/data/b" + device_of(mount));
  constexpr std::string_view k_key = "E:ID_FS_TYPE=";
  if (const std::size_t at = known.find(k_key); at != known.npos) {
    const std::size_t from = at + k_key.size();
    return known.substr(from, known.find('\n', from) - from);
  }
  const std::string boot = [&] {
    std::array<char, 11> start{};
    std::ifstream device(mount.source, std::ios::binary);
    device.read(start.data(), start.size());
    return std::string(start.data(), static_cast<std::size_t>(device.gcount()));
  }();
  if (boot.ends_with("EXFAT   ")) return "exfat";
  if (boot.ends_with("NTFS    ")) return "ntfs";
  return mount.file_system;
}

std::string name_of(const Mount& mount) {
  std::string name = mount.file_system == "fuseblk" ? file_system_of_device(mount) : mount.file_system;
  if (name.starts_with("fuse.")) name.erase(0, 5);
  if (name == "msdos" || name == "fusefat") return "vfat";
  if (name == "ntfs3" || name == "ntfs-3g") return "ntfs";
  return name;
}

std::optional<Mount> mount_of(const std::string& directory) {
  struct statx status {};
  if (::statx(AT_FDCWD, directory.c_str(), 0, STATX_MNT_ID, &status) != 0) return std::nullopt;
  if ((status.stx_mask & STATX_MNT_ID) == 0) return std::nullopt;  // before Linux 5.8
  return find_mount(text_of_file("/proc/self/mountinfo"), status.stx_mnt_id);
}

void limit_files(Medium& medium) {
  if (medium.is_fat()) medium.largest_file = k_largest_fat_file;
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
  if (medium.largest_file && *medium.largest_file <= limit.rlim_cur) return;
  medium.largest_file = limit.rlim_cur;
  medium.limited_by_user = true;
}

/// What statfs(2) has for a file system, linux/magic.h and the drivers.
constexpr std::array<std::pair<std::uint32_t, std::string_view>, 11> k_numbers{{{0x4d44, "vfat"},
                                                                                {0x2011bab0, "exfat"},
                                                                                {0x7366746e, "ntfs"},
                                                                                {0x9660, "iso9660"},
                                                                                {0x15013346, "udf"},
                                                                                {0xef53, "ext4"},
                                                                                {0x58465342, "xfs"},
                                                                                {0x9123683e, "btrfs"},
                                                                                {0x01021994, "tmpfs"},
                                                                                {0x794c7630, "overlay"},
                                                                                {0x6969, "nfs"}}};

// Where the mount is not in sight: in a chroot, or before Linux 5.8.
std::string file_system_by_number(const std::string& directory) {
  struct statfs status {};
  if (::statfs(directory.c_str(), &status) != 0) return {};
  const auto* const found = std::ranges::find(k_numbers, static_cast<std::uint32_t>(status.f_type),
                                              [](const auto& one) { return one.first; });
  return found == k_numbers.end() ? std::string() : std::string(found->second);
}

}  // namespace

std::optional<std::uint64_t> Medium::files_in_directory(std::size_t name_length) const {
  if (!is_fat()) return std::nullopt;
  return k_fat_entries / (1 + (name_length + k_fat_entry_characters - 1) / k_fat_entry_characters);
}

// Linux's drivers of NTFS take what Windows does not.
std::string_view Medium::forbidden_characters() const noexcept {
  return is_fat() || file_system == "exfat" ? "\"*:<>?\\|" : "";
}

// "36 35 98:0 /root /mount/point rw,noatime master:1 - ext3 /dev/root rw,errors=continue": any number of
// fields stand before the "-".
std::optional<Mount> find_mount(std::string_view mountinfo, std::uint64_t mount_id) {
  while (!mountinfo.empty()) {
    const std::size_t end = std::min(mountinfo.find('\n'), mountinfo.size());
    const std::vector<std::string_view> words = words_of(mountinfo.substr(0, end));
    mountinfo.remove_prefix(std::min(end + 1, mountinfo.size()));
    if (words.size() < 6 || words[0] != std::to_string(mount_id)) continue;
    const auto dash = std::find(words.begin() + 6, words.end(), "-");
    if (words.end() - dash < 4) continue;
    return Mount{.file_system = std::string(dash[1]),
                 .source = std::string(dash[2]),
                 .device = std::string(words[2]),
                 .read_only = has_option(words[5], "ro") || has_option(dash[3], "ro")};
  }
  return std::nullopt;
}

bool is_removable(const std::string& device, const std::string& sys) {
  return any_below(device, sys, [](const fs::path& here, const fs::path& disk) {
    return says_one(disk / "removable") || text_of_file(disk / "device/type").starts_with("SD\n") ||
           std::ranges::any_of(here, [](const fs::path& part) { return part.string().starts_with("usb"); });
  });
}

bool is_built_in(const std::string& device, const std::string& sys) {
  const auto is_disk = [](const fs::path& here, const fs::path&) {
    return std::ranges::none_of(here, [](const fs::path& part) { return part == "virtual"; });
  };
  return any_below(device, sys, is_disk) && !is_removable(device, sys);
}

Medium medium_of(const std::string& directory) {
  Medium medium;
  struct statvfs status {};
  if (::statvfs(directory.c_str(), &status) != 0) {
    throw_errno(errno, "cannot examine the file system of " + directory);
  }
  medium.read_only = (status.f_flag & ST_RDONLY) != 0;
  if (status.f_blocks > 0) {  // some that run as a program tell nothing
    medium.total_bytes = static_cast<std::uint64_t>(status.f_blocks) * status.f_frsize;
    medium.block = status.f_frsize;
    medium.free_bytes = static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
  }
  if (status.f_files > 0) medium.free_files = status.f_favail;
  if (const auto mount = mount_of(directory)) {
    medium.file_system = name_of(*mount);
    medium.read_only = medium.read_only || mount->read_only;
    medium.removable = is_removable(device_of(*mount));
    medium.built_in = is_built_in(device_of(*mount));
  }
  if (medium.file_system.empty()) medium.file_system = file_system_by_number(directory);
  limit_files(medium);
  return medium;
}

}  // namespace airgap::io
