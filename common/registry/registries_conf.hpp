#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/registry/pull_routes.hpp"

namespace airgap::registry {

/// What a short name stands for.
struct Alias {
  std::string name;  ///< "quay.io/centos/centos"; empty where an alias was erased
  std::string file;  ///< that says so

  friend bool operator==(const Alias&, const Alias&) = default;
};

/// What registries.conf files say, as far as it concerns us (containers-registries.conf(5), version 2).
/// Search registries are none of it: a short name without alias is on docker.io, as docker has it.
struct RegistriesConf {
  std::vector<RegistryRule> rules;
  std::map<std::string, Alias> aliases;  ///< by short name, "fedora"
  std::optional<std::vector<std::string>> credential_helpers;

  /// Takes over what a later file says: rules by prefix, aliases by name.
  void update_with(RegistriesConf later);
  /// The alias of a short name with or without tag and digest; null where there is none.
  const Alias* alias_of(std::string_view text) const;
  /// `text` with its short name replaced where it has an alias; tag and digest stay.
  std::string expanded(std::string_view text) const;
};

/// One file. Throws UsageError with file:line:column for what is not TOML, wrong kinds of values, bad names
/// and contradictions, and for the format of version 1. Keys that we do not know are warned of: other
/// programs'.
RegistriesConf parse_registries_conf(std::string_view text, const std::string& file);

}  // namespace airgap::registry
