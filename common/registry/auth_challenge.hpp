#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace airgap::registry {

/// One challenge of a WWW-Authenticate header.
struct Challenge {
  std::string scheme;                             ///< lower case: "bearer", "basic", ...
  std::map<std::string, std::string> parameters;  ///< names in lower case, values unquoted; foreign text

  std::optional<std::string> find(const std::string& name) const;
};

/// The challenges of all WWW-Authenticate fields in order (RFC 9110, 11.6.1). Tolerant: several challenges in
/// one field or in several, commas and escapes in quotes, spaces around '=', unterminated quotes. What makes
/// no sense is passed over; it never throws. At most 16 challenges of 32 parameters of 8 KiB are kept (R10).
std::vector<Challenge> parse_challenges(const std::vector<std::string>& fields);

/// The challenge to answer: bearer with a realm, else basic. Where both are offered a token can be had
/// without a password.
std::optional<Challenge> usable_challenge(const std::vector<Challenge>& challenges);

}  // namespace airgap::registry
