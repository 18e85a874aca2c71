#include "common/registry/mirror_health.hpp"

#include <fmt/format.h>

#include "common/diag/log.hpp"
#include "common/http/client.hpp"
#include "common/registry/api_error.hpp"

namespace airgap::registry {

bool may_ask_on(const diag::Error& error) {
  switch (error.kind()) {
    case diag::ErrorKind::network:
    case diag::ErrorKind::credentials:
    case diag::ErrorKind::integrity:
    case diag::ErrorKind::unsafe:
      return true;
    default:
      return false;
  }
}

bool MirrorHealth::is_down(const Endpoint& endpoint) const {
  return m_known.with([&](const Known& known) { return known.down.contains(endpoint.repository.registry); });
}

void MirrorHealth::failed(const Endpoint& endpoint, const diag::Error& error) {
  const bool unreachable = dynamic_cast<const http::TransferError*>(&error) != nullptr;
  const Endpoint host{{endpoint.repository.registry, {}}, endpoint.insecure, endpoint.mirror};
  const bool absent = dynamic_cast<const NotThere*>(&error) != nullptr;
  const bool is_new = m_known.with([&](Known& known) {
    if (unreachable) known.down.insert(endpoint.repository.registry);
    return !absent && known.warned.insert(host).second;
  });
  diag::log("registry", is_new ? diag::LogLevel::warning : diag::LogLevel::debug,
            fmt::format("{} {} fails, the next place is asked: {}", endpoint.mirror ? "mirror" : "location",
                        endpoint.repository.str(), error.full_message()));
}

void MirrorHealth::gave_wrong(const Repository& name, const hash::Digest& blob, const Endpoint& endpoint) {
  m_known.with([&](Known& known) { known.wrong_givers.insert_or_assign(std::pair(name, blob), endpoint); });
}

std::optional<Endpoint> MirrorHealth::wrong_giver(const Repository& name, const hash::Digest& blob) const {
  return m_known.with([&](const Known& known) {
    const auto found = known.wrong_givers.find(std::pair(name, blob));
    return found == known.wrong_givers.end() ? std::nullopt : std::optional(found->second);
  });
}

}  // namespace airgap::registry
