#pragma once

#include <compare>
#include <string>

namespace airgap::registry {

/// A repository of a registry: what distribution-spec requests address.
struct Repository {
  std::string registry;  ///< host[:port] as named by the user, docker.io included
  std::string path;      ///< "library/nginx"

  std::string str() const { return registry + "/" + path; }
  friend auto operator<=>(const Repository&, const Repository&) = default;
};

}  // namespace airgap::registry
