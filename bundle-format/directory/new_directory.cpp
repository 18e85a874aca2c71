#include "bundle-format/directory/new_directory.hpp"

#include <filesystem>

#include "common/io/directory.hpp"

namespace airgap::bundle {

namespace fs = std::filesystem;

NewDirectory::NewDirectory(const std::string& path) {
  fs::path missing = fs::absolute(path).lexically_normal();
  if (!missing.has_filename()) missing = missing.parent_path();
  for (std::error_code error; !fs::exists(missing, error); missing = missing.parent_path()) {
    m_missing.push_back(missing.string());
    if (!missing.has_relative_path()) break;
  }
}

void NewDirectory::sync_parents() const {
  for (const std::string& directory : m_missing) {
    io::Directory::open(fs::path(directory).parent_path().string()).sync();
  }
}

void NewDirectory::remove() const noexcept {
  std::error_code ignored;
  for (const std::string& directory : m_missing) fs::remove(directory, ignored);
}

}  // namespace airgap::bundle
