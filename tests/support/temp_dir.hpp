#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace airgap::test {

/// A fresh directory that is removed with everything in it.
class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "airgap-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a temporary directory");
    m_path = name;
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(m_path, ignored);
  }

  std::string path(std::string_view name = {}) const {
    return name.empty() ? m_path.string() : (m_path / name).string();
  }
  /// Writes a file, its directories too, with mode 0600 (0700 when `program`). Returns its path.
  std::string write(std::string_view name, std::string_view text, bool program = false) const {
    const std::filesystem::path file = m_path / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
    using std::filesystem::perms;
    std::filesystem::permissions(file, program ? perms::owner_all : perms::owner_read | perms::owner_write);
    return file.string();
  }

 private:
  std::filesystem::path m_path;
};

}  // namespace airgap::test
