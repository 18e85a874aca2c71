#include "common/registry/auth_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "common/diag/error.hpp"
#include "common/diag/log.hpp"
#include "common/io/file.hpp"
#include "common/json/reader.hpp"
#include "common/text/base64.hpp"

namespace airgap::registry {
namespace {

constexpr std::size_t k_max_auth_file = std::size_t{1} << 20;  // bytes

class FileSource : public io::Source {
 public:
  explicit FileSource(io::File& file) : m_file(file) {}
  std::size_t read(std::span<std::byte> out) override { return m_file.read_some(out); }

 private:
  io::File& m_file;
};

[[noreturn]] void fail(const std::string& path, std::string_view why) {
  throw diag::CredentialsError(fmt::format("cannot use the auth file {}: {}", path, why),
                               "correct it, or name another one with --authfile");
}

// Links are followed: home directories are often made of them.
std::optional<std::string> read_text(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) return std::nullopt;
  if (fd < 0) fail(path, std::generic_category().message(errno));
  io::File file(fd, path);
  struct stat status {};
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) fail(path, "it is not a regular file");
  if ((status.st_mode & (S_IROTH | S_IWOTH)) != 0) {
    diag::log("registry", diag::LogLevel::warning,
              fmt::format("{} holds credentials and other users may read it; chmod 600 {}", path, path));
  }
  FileSource source(file);
  return io::read_all(source, k_max_auth_file, "the auth file");
}

std::optional<Credential> read_entry(const json::Node& entry) {
  Credential credential;
  credential.identity_token = entry.optional_string("identitytoken").value_or("");
  if (!credential.identity_token.empty()) return credential;
  if (const std::string auth = entry.optional_string("auth").value_or(""); !auth.empty()) {
    std::string pair = text::from_base64(auth).value_or("");
    pair.erase(std::min(pair.find_last_not_of('\0') + 1, pair.size()));  // old docker padded with NUL
    const std::size_t colon = pair.find(':');                            // a password may hold more of them
    if (colon == std::string::npos || colon == 0)
      entry.at("auth").fail("expected the base64 of user:password");
    credential.username = pair.substr(0, colon);
    credential.password = pair.substr(colon + 1);
    return credential;
  }
  credential.username = entry.optional_string("username").value_or("");
  credential.password = entry.optional_string("password").value_or("");
  if (credential.username.empty()) return std::nullopt;  // docker leaves {} where credsStore has it
  return credential;
}

void read_auths(const json::Node& auths, AuthFile& file) {
  for (const auto& [key, entry] : auths.members()) {
    if (const auto credential = read_entry(entry)) file.auths[normal_auth_key(key)].push_back(*credential);
  }
}

AuthFile parse(const std::string& path, const std::string& text) {
  AuthFile file{path, {}, {}, {}};
  const json::Document document = json::Document::parse(text);
  if (path.ends_with("/.dockercfg")) {  // the legacy form is the map itself
    read_auths(document.root(), file);
    return file;
  }
  if (const auto auths = document.root().find("auths")) read_auths(*auths, file);
  if (const auto helpers = document.root().find("credHelpers")) {
    for (const auto& [key, helper] : helpers->string_map()) file.helpers[normal_auth_key(key)] = helper;
  }
  file.store = document.root().optional_string("credsStore").value_or("");
  return file;
}

}  // namespace

std::string normal_auth_key(std::string_view key) {
  const std::size_t scheme = key.find("://");
  if (scheme != std::string_view::npos) {
    key.remove_prefix(scheme + 3);
    key = key.substr(0, key.find('/'));  // docker writes URLs, and only the host counts in them
  }
  while (key.ends_with('/')) key.remove_suffix(1);
  std::string host(key.substr(0, key.find('/')));
  std::string_view path = key.substr(host.size());
  if (path == "/v1" || path == "/v2") path = {};
  if (host == "index.docker.io" || host == "registry-1.docker.io") host = "docker.io";
  return host + std::string(path);
}

std::optional<AuthFile> read_auth_file(const std::string& path) {
  try {
    const auto text = read_text(path);
    if (!text) return std::nullopt;
    if (text->find_first_not_of(" \t\r\n") == std::string::npos) return AuthFile{path, {}, {}, {}};
    return parse(path, *text);
  } catch (const diag::UnsafeError& error) {
    fail(path, error.message());
  }
}

}  // namespace airgap::registry
