#include "common/io/medium.hpp"

#include <doctest/doctest.h>

#include <filesystem>

#include "common/diag/error.hpp"
#include "common/io/file.hpp"
#include "tests/support/temp_dir.hpp"

using namespace airgap;
using io::find_mount;
using io::is_removable;
namespace fs = std::filesystem;

namespace {

constexpr std::string_view k_mountinfo =
    "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n"
    "41 22 8:17 / /media/a\\040stick rw,nosuid,relatime - vfat /dev/sdb1 rw,fmask=0022\n"
    "42 22 8:33 / /media/b rw,relatime - fuseblk /dev/sdc1 rw,user_id=0\n"
    "43 22 11:0 / /media/disc ro,relatime shared:7 master:3 - iso9660 /dev/sr0 ro\n"
    "44 22 8:49 / /media/failed rw - ext4 /dev/sdd1 ro,errors=remount-ro\n";

/// A sysfs of the test's own.
class Sysfs {
 public:
  Sysfs() { fs::create_directories(m_root.path("dev/block")); }

  std::string path() const { return m_root.path(); }
  void write(const std::string& file, const std::string& text) { m_root.write(file, text + "\n"); }
  /// A block device at `place`, with its number.
  void device(const std::string& number, const std::string& place) {
    write(place + "/dev", number);
    fs::create_symlink(m_root.path(place), m_root.path("dev/block/" + number));
  }

 private:
  test::TempDir m_root;
};

}  // namespace

TEST_CASE("a mount is found by its number, however many fields its line has") {
  struct Row {
    std::uint64_t id;
    const char* file_system;
    const char* source;
    const char* device;
    bool read_only;
  };
  for (const Row& row :
       {Row{22, "ext4", "/dev/vda1", "254:0", false}, Row{41, "vfat", "/dev/sdb1", "8:17", false},
        Row{42, "fuseblk", "/dev/sdc1", "8:33", false}, Row{43, "iso9660", "/dev/sr0", "11:0", true},
        Row{44, "ext4", "/dev/sdd1", "8:49", true}}) {
    CAPTURE(row.id);
    const auto mount = find_mount(k_mountinfo, row.id);
    REQUIRE(mount);
    CHECK(mount->file_system == row.file_system);
    CHECK(mount->source == row.source);
    CHECK(mount->device == row.device);
    CHECK(mount->read_only == row.read_only);
  }
  CHECK_FALSE(find_mount(k_mountinfo, 4));
  CHECK_FALSE(find_mount("4\n4 1\n4 1 8:1 / / rw - \n", 4));
}

TEST_CASE("what can be carried away is removable") {
  Sysfs sys;
  sys.device("254:0", "devices/pci0/block/vda");
  sys.write("devices/pci0/block/vda/removable", "0");
  sys.device("254:1", "devices/pci0/block/vda/vda1");
  sys.write("devices/pci0/block/vda/vda1/partition", "1");
  CHECK_FALSE(is_removable("254:0", sys.path()));
  CHECK_FALSE(is_removable("254:1", sys.path()));
  CHECK_FALSE(is_removable("9:9", sys.path()));

  SUBCASE("a stick without partitions") {
    sys.device("8:16", "devices/pci0/block/sdb");
    sys.write("devices/pci0/block/sdb/removable", "1");
    CHECK(is_removable("8:16", sys.path()));
  }
  SUBCASE("a partition of a stick") {
    sys.device("8:17", "devices/pci0/block/sdb/sdb1");
    sys.write("devices/pci0/block/sdb/removable", "1");
    sys.write("devices/pci0/block/sdb/sdb1/partition", "1");
    CHECK(is_removable("8:17", sys.path()));
  }
  SUBCASE("a disk on USB, which says that it is not") {
    sys.device("8:32", "devices/pci0/usb2/2-1/block/sdc");
    sys.write("devices/pci0/usb2/2-1/block/sdc/removable", "0");
    CHECK(is_removable("8:32", sys.path()));
  }
  SUBCASE("a card") {
    sys.device("179:1", "devices/mmc0/block/mmcblk0/mmcblk0p1");
    sys.write("devices/mmc0/block/mmcblk0/mmcblk0p1/partition", "1");
    sys.write("devices/mmc0/block/mmcblk0/device/type", "SD");
    CHECK(is_removable("179:1", sys.path()));
  }
  SUBCASE("what is encrypted on a stick") {
    sys.device("8:17", "devices/pci0/block/sdb/sdb1");
    sys.write("devices/pci0/block/sdb/removable", "1");
    sys.write("devices/pci0/block/sdb/sdb1/partition", "1");
    sys.device("253:0", "devices/virtual/block/dm-0");
    sys.write("devices/virtual/block/dm-0/slaves/sdb1/dev", "8:17");
    CHECK(is_removable("253:0", sys.path()));
  }
  SUBCASE("devices that lie on each other in a circle end") {
    sys.device("253:0", "devices/virtual/block/dm-0");
    sys.write("devices/virtual/block/dm-0/slaves/dm-0/dev", "253:0");
    CHECK_FALSE(is_removable("253:0", sys.path()));
  }
}

TEST_CASE("a disk that cannot be carried away is built in; what is no disk is neither") {
  Sysfs sys;
  sys.device("254:1", "devices/pci0/block/vda/vda1");
  sys.write("devices/pci0/block/vda/removable", "0");
  sys.write("devices/pci0/block/vda/vda1/partition", "1");
  sys.device("253:0", "devices/virtual/block/dm-0");
  sys.write("devices/virtual/block/dm-0/slaves/vda1/dev", "254:1");
  sys.device("7:0", "devices/virtual/block/loop0");
  sys.device("8:16", "devices/pci0/usb2/2-1/block/sdb");
  for (const char* device : {"254:1", "253:0"}) CHECK(io::is_built_in(device, sys.path()));
  for (const char* device : {"7:0", "8:16", "0:55"}) CHECK_FALSE(io::is_built_in(device, sys.path()));
}

TEST_CASE("FAT alone limits how many files a directory holds") {
  io::Medium medium;
  medium.file_system = "exfat";
  CHECK_FALSE(medium.files_in_directory(64));
  medium.file_system = "vfat";
  CHECK(medium.files_in_directory(64) == 10'922);
  CHECK(medium.files_in_directory(128) == 5'957);
}

TEST_CASE("the medium of a directory says how much is free on it") {
  const io::Medium medium = io::medium_of(fs::temp_directory_path());
  CHECK_FALSE(medium.file_system.empty());  // in a chroot too
  REQUIRE(medium.total_bytes);
  CHECK(*medium.free_bytes <= *medium.total_bytes);
  CHECK_THROWS_AS(io::medium_of("/no such directory"), diag::StorageError);
}

TEST_CASE("FAT and exFAT do not take the characters that Windows does not") {
  const auto forbidden = [](const char* file_system) {
    io::Medium medium;
    medium.file_system = file_system;
    return medium.forbidden_characters();
  };
  for (const char* name : {"vfat", "exfat"}) CHECK(forbidden(name) == "\"*:<>?\\|");
  for (const char* name : {"ext4", "tmpfs", "ntfs", ""}) CHECK(forbidden(name).empty());
}

TEST_CASE("holes of a file take up nothing, and what was written does") {
  std::string name = fs::temp_directory_path() / "airgap-test-XXXXXX";
  const io::File file(::mkstemp(name.data()), name);
  constexpr std::uint64_t k_mib = std::uint64_t{1} << 20;
  const std::vector<std::byte> bytes(k_mib, std::byte{1});
  file.write_at(0, bytes);
  file.write_at(8 * k_mib, bytes);
  CHECK(file.occupied(4 * k_mib) == k_mib);
  CHECK(file.occupied(100 * k_mib) == 2 * k_mib);
  CHECK(file.occupied(k_mib / 2) == k_mib / 2);
  fs::remove(name);
}
