#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "common/diag/error.hpp"
#include "common/hash/digest.hpp"
#include "common/registry/pull_routes.hpp"
#include "common/task/guarded.hpp"

namespace airgap::registry {

/// After such a failure of one endpoint another one may do: it is about that host and its content, not about
/// us.
bool may_ask_on(const diag::Error& error);

/// What endpoints did wrong, kept for the run. Thread-safe.
class MirrorHealth {
 public:
  /// Its host could not be reached, so it is passed over while there is another.
  bool is_down(const Endpoint& endpoint) const;
  /// Another endpoint is asked after this one failed: told once for each as a warning, then, and of what is
  /// merely not there, as debug output.
  void failed(const Endpoint& endpoint, const diag::Error& error);

  /// The bytes of a blob that an endpoint gave are not the right ones.
  void gave_wrong(const Repository& name, const hash::Digest& blob, const Endpoint& endpoint);
  /// Who did so last; nothing when nobody did.
  std::optional<Endpoint> wrong_giver(const Repository& name, const hash::Digest& blob) const;

 private:
  struct Known {
    std::set<std::string> down;  ///< hosts
    std::set<Endpoint> warned;
    std::map<std::pair<Repository, hash::Digest>, Endpoint> wrong_givers;
  };
  mutable task::Guarded<Known> m_known;
};

}  // namespace airgap::registry
