#include "common/registry/host_config.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "common/diag/error.hpp"
#include "common/diag/log.hpp"
#include "common/io/file.hpp"
#include "common/registry/endpoints.hpp"
#include "common/task/guarded.hpp"

namespace airgap::registry {
namespace {

namespace fs = std::filesystem;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

// Whether the user meant the host, as written in image names or as its API host (docker.io).
bool means(const std::string& named, const std::string& host) {
  return same_name(named, host) || same_name(api_host(named), host);
}

bool names(const std::set<std::string>& hosts, const std::string& host) {
  return std::any_of(hosts.begin(), hosts.end(),
                     [&](const std::string& named) { return means(named, host); });
}

// Null when the host has none of its own.
const std::string* own_cert_dir(const HostRules& rules, const std::string& host) {
  for (const auto& [named, directory] : rules.cert_dirs) {
    if (means(named, host)) return &directory;
  }
  return nullptr;
}

std::vector<fs::path> sorted_files(const std::string& directory) {
  std::error_code error;
  std::vector<fs::path> files;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    files.push_back(it->path());
  }
  if (error == std::errc::permission_denied) {
    diag::log("registry", diag::LogLevel::warning,
              fmt::format("certificates in {} are not used: {}", directory, error.message()));
    return {};
  }
  if (error) io::throw_errno(error.value(), fmt::format("cannot read the certificates in {}", directory));
  std::sort(files.begin(), files.end());
  return files;
}

std::string readable(const fs::path& file) {
  if (access(file.c_str(), R_OK) != 0) io::throw_errno(errno, fmt::format("cannot read {}", file.string()));
  return file.string();
}

// The other half of a client certificate, beside it.
std::string partner_of(const fs::path& file, const char* extension) {
  fs::path partner = file;
  partner.replace_extension(extension);
  if (!fs::exists(partner)) {
    throw diag::UsageError(fmt::format("{} has no {} beside it", file.string(), partner.filename().string()),
                           "a client certificate is NAME.cert with its key in NAME.key");
  }
  return readable(partner);
}

void add_certificates(const std::string& directory, http::TlsSettings& tls) {
  for (const fs::path& file : sorted_files(directory)) {
    const std::string extension = file.extension().string();
    if (extension == ".crt") tls.ca_files.push_back(readable(file));
    if (extension == ".key") static_cast<void>(partner_of(file, ".cert"));
    if (extension == ".cert" && tls.client_certificate.empty()) {
      tls.client_certificate = readable(file);
      tls.client_key = partner_of(file, ".key");
    }
  }
}

std::string certificate_directory(const HostRules& rules, const std::string& host) {
  if (const std::string* own = own_cert_dir(rules, host)) return *own;
  if (!rules.cert_dir.empty()) return rules.cert_dir;
  for (const std::string& root : rules.cert_roots) {
    std::error_code ignored;
    std::string directory = fmt::format("{}/{}", root, host);
    if (fs::is_directory(directory, ignored)) return directory;
  }
  return {};
}

http::OriginSettings settings_of_other(const HostRules& rules, const http::Origin& origin) {
  const std::string host = host_of(origin);
  const HostConfig config = host_config(rules, host);
  http::OriginSettings settings{config.tls, config.plain_http_only || config.may_fall_back_to_http,
                                config.named};
  const bool shared = !rules.cert_dir.empty() && own_cert_dir(rules, host) == nullptr;
  if (shared && !config.tls->client_certificate.empty()) {
    http::TlsSettings anonymous = *config.tls;
    anonymous.client_certificate.clear();
    anonymous.client_key.clear();
    settings.tls = std::make_shared<const http::TlsSettings>(std::move(anonymous));
  }
  return settings;
}

}  // namespace

std::vector<std::string> default_cert_roots() {
  std::vector<std::string> roots;
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') {
    roots.push_back(std::string(home) + "/.config/containers/certs.d");
  }
  roots.emplace_back("/etc/containers/certs.d");
  roots.emplace_back("/etc/docker/certs.d");
  return roots;
}

HostConfig host_config(const HostRules& rules, const std::string& host, bool insecure) {
  HostConfig config;
  const bool verified = names(rules.verified, host);
  config.plain_http_only = !verified && names(rules.plain_http, host);
  config.may_fall_back_to_http =
      !verified && !config.plain_http_only && (insecure || names(rules.insecure, host));
  config.named = config.plain_http_only || config.may_fall_back_to_http || names(rules.trusted, host);
  http::TlsSettings tls;
  tls.verify = !config.may_fall_back_to_http;
  if (const std::string directory = certificate_directory(rules, host); !directory.empty()) {
    add_certificates(directory, tls);
  }
  config.tls = std::make_shared<const http::TlsSettings>(std::move(tls));
  return config;
}

http::OriginLookup origin_lookup(const HostRules& rules) {
  using Known = task::Guarded<std::map<http::Origin, http::OriginSettings>>;
  return [rules, known = std::make_shared<Known>()](const http::Origin& origin) {
    return known->with([&](auto& settings) {
      const auto found = settings.find(origin);
      if (found != settings.end()) return found->second;
      return settings.emplace(origin, settings_of_other(rules, origin)).first->second;
    });
  };
}

std::string api_host(const std::string& registry) {
  return registry == "docker.io" || registry == "index.docker.io" ? "registry-1.docker.io" : registry;
}

}  // namespace airgap::registry
