#pragma once

#include <string>
#include <string_view>

#include "common/registry/credentials.hpp"

namespace airgap::cli {

/// "user:password", a colon in the password allowed. `where` names the source in messages, which never quote
/// the text.
registry::Credential parse_credential(std::string_view line, const std::string& where);

/// The first line of a descriptor (standard input). Reads nothing behind it, so the rest stays for others.
registry::Credential read_credential(int fd, const std::string& where);

/// The first line of a file that is ours and that nobody else may read (R153). Throws CredentialsError.
registry::Credential read_credential_file(const std::string& path);

}  // namespace airgap::cli
