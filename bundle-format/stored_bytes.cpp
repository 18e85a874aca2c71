#include "bundle-format/stored_bytes.hpp"

#include <filesystem>
#include <set>
#include <utility>

#include "bundle-format/metadata/layout.hpp"
#include "common/io/directory.hpp"
#include "common/io/file.hpp"

namespace airgap::bundle {
namespace {

class Count {
 public:
  void add_directory(const io::Directory& top, const std::string& path) {
    for (const io::Entry& entry : top.list(path)) {
      if (is_system_dropping(entry.name)) continue;
      const std::string name = path.empty() ? entry.name : path + "/" + entry.name;
      if (entry.kind == io::EntryKind::directory) {
        add_directory(top, name);
      } else if (entry.kind == io::EntryKind::file && m_seen.emplace(entry.device, entry.inode).second) {
        m_bytes += entry.size;
      }
    }
  }
  void add_file(const std::string& path) { m_bytes += io::File::open_read(path).size(); }
  std::uint64_t bytes() const noexcept { return m_bytes; }

 private:
  std::set<std::pair<std::uint64_t, std::uint64_t>> m_seen;  ///< device and inode
  std::uint64_t m_bytes = 0;
};

}  // namespace

std::uint64_t stored_bytes(const std::vector<std::string>& paths) {
  Count count;
  for (const std::string& path : paths) {
    if (std::filesystem::is_directory(path)) {
      count.add_directory(io::Directory::open(path), "");
    } else {
      count.add_file(path);
    }
  }
  return count.bytes();
}

}  // namespace airgap::bundle
