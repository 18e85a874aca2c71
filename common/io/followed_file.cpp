#include "common/io/followed_file.hpp"

#include <fcntl.h>

#include <cerrno>
#include <span>
#include <vector>

#include "common/io/file.hpp"

namespace airgap::io {

std::string read_followed_file(const std::string& path, std::size_t most) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) throw_errno(errno, "cannot open " + path);
  File file(fd, path);
  std::string text;
  std::vector<std::byte> buffer(k_pump_buffer);
  while (const std::size_t count = file.read_some(buffer)) {
    text.append(text_of(std::span(buffer).first(count)));
    if (text.size() > most) break;
  }
  return text;
}

}  // namespace airgap::io
