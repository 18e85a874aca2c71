#pragma once

#include <optional>
#include <string>
#include <utility>

#include "common/registry/mirror_health.hpp"

namespace airgap::registry {

/// Asks the endpoints of a route in order and returns the first answer that is something; `ask(endpoint)`
/// returns an optional, empty for "it is not there", or a value that always is something. The last endpoint's
/// failure or absence is the caller's to know, except that absence is not believed after an endpoint served
/// wrong bytes: that IntegrityError is thrown then.
template <class Ask>
auto first_answer(const Route& route, MirrorHealth& health, Ask&& ask) {
  std::optional<diag::Error> wrong_bytes;
  std::string others;  // that failed, for the story
  for (auto endpoint = route.begin();; ++endpoint) {
    const bool last = endpoint + 1 == route.end();
    if (!last && health.is_down(*endpoint)) continue;
    try {
      auto answer = ask(*endpoint);
      bool found = true;
      if constexpr (requires { answer.has_value(); }) found = answer.has_value();
      if (last && !found && wrong_bytes) throw diag::Error(*wrong_bytes);
      if (last || found) return answer;
    } catch (diag::Error& error) {
      if (last && !others.empty())
        error.add_context("asking " + endpoint->repository.str() + " after " + others);
      if (last || !may_ask_on(error)) throw;
      health.failed(*endpoint, error);
      if (error.kind() == diag::ErrorKind::integrity) wrong_bytes = error;
      others += (others.empty() ? "" : ", ") + endpoint->repository.str() + " failed";
    }
  }
}

}  // namespace airgap::registry
