#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/registry/repository.hpp"

namespace airgap::registry {

/// A [[registry.mirror]] of containers-registries.conf(5).
struct MirrorRule {
  enum class Use { all, digest_only, tag_only };

  std::string location;  ///< "mirror.example:5000/hub"
  bool insecure = false;
  Use use = Use::all;

  friend bool operator==(const MirrorRule&, const MirrorRule&) = default;
};

/// A [[registry]] of containers-registries.conf(5), complete and checked.
struct RegistryRule {
  std::string prefix;      ///< "docker.io", "docker.io/library/nginx", "*.example.com"
  std::string location{};  ///< what stands in the prefix's place; empty, of a wildcard only: nothing does
  bool insecure = false;
  bool blocked = false;
  std::vector<MirrorRule> mirrors{};
  std::string place{};  ///< "/etc/containers/registries.conf:3:1"

  friend bool operator==(const RegistryRule&, const RegistryRule&) = default;
};

/// One place where a repository can be asked for.
struct Endpoint {
  Repository repository;
  bool insecure = false;  ///< as if its host were named with --insecure, for this repository
  bool mirror = false;    ///< another endpoint of the route has the same

  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

/// In the order to ask; never empty.
using Route = std::vector<Endpoint>;

enum class PullBy { tag, digest };

/// Where names are read from and written to, by the rules of containers-registries.conf(5). Pure. The rule
/// with the longest prefix of a repository's full name decides, alone. A rule that is `blocked` keeps its
/// location from being asked, not its mirrors. UsageError, with the rule's place, where that leaves nothing
/// to ask, and where a location makes no name.
class PullRoutes {
 public:
  PullRoutes() = default;  ///< every repository is asked for where its name says
  explicit PullRoutes(std::vector<RegistryRule> rules) : m_rules(std::move(rules)) {}

  /// The mirrors that serve such pulls, in order, then the location.
  Route to_pull(const Repository& name, PullBy by) const;
  /// The location alone, which knows all tags; where it is blocked, the mirrors that serve pulls by tag.
  Route to_list_tags(const Repository& name) const;
  /// The location, then the mirrors that serve pulls by tag.
  Route to_find_tags(const Repository& name) const;
  /// The name itself: pushing knows neither locations nor mirrors, as in podman and skopeo.
  Endpoint to_push(const Repository& name) const;

 private:
  const RegistryRule* rule_for(const Repository& name) const;
  /// The rule that blocks the location, which is then not added.
  const RegistryRule* add_location(const Repository& name, const RegistryRule& rule, Route& route) const;
  void add_mirrors(const Repository& name, const RegistryRule& rule, PullBy by, Route& route) const;

  std::vector<RegistryRule> m_rules;
};

}  // namespace airgap::registry
