#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace airgap::bundle {

/// Writes a file, with the directories above it.
inline void write_file(const std::string& path, const std::string& bytes) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace airgap::bundle
