#include "common/cli/input_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "common/diag/error.hpp"
#include "common/io/file.hpp"
#include "common/text/utf8.hpp"

namespace airgap::cli {
namespace {

io::File open_input(const std::string& path) {
  const int fd = path == "-" ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                             : open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) io::throw_errno(errno, "cannot open " + path);
  return {fd, path};
}

}  // namespace

InputFile read_input_file(const std::string& path, std::size_t cap, std::string_view what,
                          std::string_view option) {
  try {
    io::File opened = open_input(path);
    InputFile file{.text = {}, .shown = path == "-" ? "standard input" : path};
    struct stat status {};
    file.others_may_read =
        path != "-" && fstat(opened.fd(), &status) == 0 && (status.st_mode & (S_IRGRP | S_IROTH)) != 0;
    std::vector<std::byte> buffer(io::k_pump_buffer);
    while (const std::size_t count = opened.read_some(buffer)) {
      file.text.append(io::text_of(std::span(buffer).first(count)));
      if (file.text.size() > cap) throw diag::UsageError(fmt::format("{} is too large for {}", path, what));
    }
    if (file.text.starts_with(text::k_byte_order_mark)) file.text.erase(0, text::k_byte_order_mark.size());
    return file;
  } catch (const diag::StorageError& error) {
    throw diag::UsageError(fmt::format("cannot read {}: {}", what, error.message()),
                           fmt::format("check the path given with {}", option));
  }
}

}  // namespace airgap::cli
