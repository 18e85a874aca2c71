#include "common/registry/pull_routes.hpp"

#include <fmt/format.h>

#include <optional>

#include "common/diag/error.hpp"
#include "common/image/reference.hpp"

namespace airgap::registry {
namespace {

// How much of `name` the prefix stands for. A wildcard stands for the host with its port.
std::optional<std::size_t> matched(std::string_view name, std::string_view prefix) {
  if (prefix.starts_with("*.")) {
    const std::size_t end = name.find('/');
    const std::string_view host = name.substr(0, std::min(name.find(':'), end));
    const std::string_view domain = prefix.substr(1);
    if (host.size() <= domain.size() || !host.ends_with(domain)) return std::nullopt;
    return end;
  }
  if (!name.starts_with(prefix)) return std::nullopt;
  if (name.size() != prefix.size() && name[prefix.size()] != '/') return std::nullopt;
  return prefix.size();
}

// `name` with `location` in the place of the rule's prefix.
Repository rewritten(const Repository& name, const RegistryRule& rule, const std::string& location) {
  const std::string whole = name.str();
  const std::string moved = location + whole.substr(*matched(whole, rule.prefix));
  const std::size_t slash = std::min(moved.find('/'), moved.size());
  try {
    const auto reference = image::Reference::in_registry(moved.substr(0, slash),
                                                         moved.substr(std::min(slash + 1, moved.size())));
    return {reference.registry, reference.repository};
  } catch (const diag::FormatError& error) {
    throw diag::UsageError(fmt::format("{}: with the location {}, {} becomes no name: {}", rule.place,
                                       location, whole, error.message()));
  }
}

bool serves(const MirrorRule& mirror, PullBy by) {
  return mirror.use == MirrorRule::Use::all ||
         (mirror.use == MirrorRule::Use::digest_only) == (by == PullBy::digest);
}

[[noreturn]] void refuse_blocked(const Repository& name, const RegistryRule& rule) {
  throw diag::UsageError(
      fmt::format("{} is blocked by {}", name.str(), rule.place),
      "take 'blocked = true' out there, or give another file with --registries-conf (none reads no file)");
}

}  // namespace

const RegistryRule* PullRoutes::rule_for(const Repository& name) const {
  const RegistryRule* longest = nullptr;
  if (m_rules.empty()) return longest;
  const std::string whole = name.str();
  for (const RegistryRule& rule : m_rules) {
    if ((longest == nullptr || rule.prefix.size() > longest->prefix.size()) && matched(whole, rule.prefix))
      longest = &rule;
  }
  return longest;
}

const RegistryRule* PullRoutes::add_location(const Repository& name, const RegistryRule& rule,
                                             Route& route) const {
  Repository there = rule.location.empty() ? name : rewritten(name, rule, rule.location);
  const RegistryRule* other = there == name ? nullptr : rule_for(there);
  if (rule.blocked) return &rule;
  if (other != nullptr && other->blocked) return other;
  route.push_back({std::move(there), rule.insecure});
  return nullptr;
}

void PullRoutes::add_mirrors(const Repository& name, const RegistryRule& rule, PullBy by,
                             Route& route) const {
  for (const MirrorRule& mirror : rule.mirrors) {
    if (!serves(mirror, by)) continue;
    Repository there = rewritten(name, rule, mirror.location);
    const RegistryRule* other = rule_for(there);
    if (other == nullptr || !other->blocked) route.push_back({std::move(there), mirror.insecure, true});
  }
}

Route PullRoutes::to_pull(const Repository& name, PullBy by) const {
  const RegistryRule* rule = rule_for(name);
  if (rule == nullptr) return {{name}};
  Route route;
  add_mirrors(name, *rule, by, route);
  const RegistryRule* blocking = add_location(name, *rule, route);
  if (route.empty()) refuse_blocked(name, *blocking);
  return route;
}

Route PullRoutes::to_list_tags(const Repository& name) const {
  const RegistryRule* rule = rule_for(name);
  if (rule == nullptr) return {{name}};
  Route route;
  const RegistryRule* blocking = add_location(name, *rule, route);
  if (blocking == nullptr) return route;
  add_mirrors(name, *rule, PullBy::tag, route);
  if (route.empty()) refuse_blocked(name, *blocking);
  return route;
}

Route PullRoutes::to_find_tags(const Repository& name) const {
  const RegistryRule* rule = rule_for(name);
  if (rule == nullptr) return {{name}};
  Route route;
  const RegistryRule* blocking = add_location(name, *rule, route);
  add_mirrors(name, *rule, PullBy::tag, route);
  if (route.empty()) refuse_blocked(name, *blocking);
  return route;
}

Endpoint PullRoutes::to_push(const Repository& name) const {
  const RegistryRule* rule = rule_for(name);
  if (rule == nullptr) return {name};
  if (rule->blocked) refuse_blocked(name, *rule);
  return {name, rule->insecure};
}

}  // namespace airgap::registry
