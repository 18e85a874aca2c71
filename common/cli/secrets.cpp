#include "common/cli/secrets.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/diag/error.hpp"
#include "common/io/file.hpp"
#include "common/text/escape.hpp"

namespace airgap::cli {
namespace {

constexpr std::size_t k_longest_line = std::size_t{64} * 1024;  // bytes; tokens as passwords reach a few KiB

}  // namespace

registry::Credential parse_credential(std::string_view line, const std::string& where) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  const std::size_t colon = line.find(':');
  if (colon == line.npos || colon == 0) {
    throw diag::CredentialsError(where + " does not begin with a line 'user:password'");
  }
  registry::Credential credential;
  credential.username = line.substr(0, colon);
  credential.password = line.substr(colon + 1);
  return credential;
}

registry::Credential read_credential(int fd, const std::string& where) {
  std::string line;
  char next = 0;
  while (line.size() <= k_longest_line) {
    const ssize_t count = ::read(fd, &next, 1);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      throw diag::CredentialsError(
          fmt::format("cannot read credentials from {}: {}", where, std::strerror(errno)));
    }
    if (count == 0 || next == '\n') return parse_credential(line, where);
    line += next;
  }
  throw diag::CredentialsError(where + " begins with a line of more than 64 KiB");
}

registry::Credential read_credential_file(const std::string& path) {
  const std::string where = fmt::format("the credentials file '{}'", text::escape(path));
  const io::File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), path);
  struct stat status {};
  if (file.fd() < 0 || ::fstat(file.fd(), &status) != 0) {
    // The password itself, given by mistake, goes into no log.
    if (errno == ENOENT && path.find(':') != path.npos && path.find('/') == path.npos)
      throw diag::CredentialsError(
          "there is no credentials file of the name that was given",
          "give a file whose first line is user:password, or --creds-stdin; and if that "
          "was a password, think of changing it");
    throw diag::CredentialsError(fmt::format("cannot open {}: {}", where, std::strerror(errno)));
  }
  if (!S_ISREG(status.st_mode)) throw diag::CredentialsError(where + " is not a regular file");
  if (status.st_uid != ::geteuid() && status.st_uid != 0) {
    throw diag::CredentialsError(where + " belongs to another user", "chown it to yourself");
  }
  if ((status.st_mode & 077U) != 0) {
    throw diag::CredentialsError(
        where + " can be read by others",
        fmt::format("chmod 600 '{}'; and think of changing the password", text::escape(path)));
  }
  return read_credential(file.fd(), where);
}

}  // namespace airgap::cli
