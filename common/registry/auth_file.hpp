#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/registry/credentials.hpp"

namespace airgap::registry {

/// One auth.json, config.json or .dockercfg. Keys are brought to one form: "host[:port]" or
/// "host[:port]/path", Docker Hub's many names as "docker.io".
struct AuthFile {
  std::string path;
  std::map<std::string, std::vector<Credential>>
      auths;                                   ///< several when the file spells one host in several ways
  std::map<std::string, std::string> helpers;  ///< credHelpers: host -> helper
  std::string store;                           ///< credsStore, empty for none
};

/// Nothing when there is no such file. Warns when others may read it. Throws CredentialsError when it cannot
/// be read or is malformed (R152, R153).
std::optional<AuthFile> read_auth_file(const std::string& path);

/// What a key of an auth file means: "https://index.docker.io/v1/" -> "docker.io".
std::string normal_auth_key(std::string_view key);

}  // namespace airgap::registry
