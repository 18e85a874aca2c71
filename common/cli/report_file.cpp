#include "common/cli/report_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <optional>

#include "common/diag/error.hpp"
#include "common/io/directory.hpp"
#include "common/text/escape.hpp"

namespace airgap::cli {
namespace {

std::string parent_of(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

std::string name_of(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

std::string described(const std::string& path, std::string_view what) {
  return fmt::format("cannot write the {} '{}'", what, text::escape(path));
}

// The mode of what stands there, links followed; nothing when there is nothing.
std::optional<mode_t> existing(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return status.st_mode;
}

}  // namespace

void check_report_file(const std::string& path, std::string_view what) {
  const auto mode = existing(path);
  if ((mode && S_ISDIR(*mode)) || name_of(path).empty()) {
    throw diag::StorageError(described(path, what) + ": it is a directory",
                             "name a file, as in --report report.json");
  }
  const bool special = mode && !S_ISREG(*mode);
  if (::access(special ? path.c_str() : parent_of(path).c_str(), special ? W_OK : W_OK | X_OK) != 0) {
    io::throw_errno(errno, described(path, what));
  }
}

void write_report_file(const std::string& path, std::string_view text, std::string_view what) {
  const auto mode = existing(path);
  if (!mode || S_ISREG(*mode)) {
    io::Directory::open(parent_of(path)).write_atomically(name_of(path), text);
    return;
  }
  const int fd = ::open(path.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) io::throw_errno(errno, described(path, what));
  io::File file(fd, path);
  file.write_all(io::bytes_of(text));
}

}  // namespace airgap::cli
