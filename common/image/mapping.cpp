#include "common/image/mapping.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "common/diag/error.hpp"
#include "common/image/name_grammar.hpp"
#include "common/text/escape.hpp"

namespace airgap::image {
namespace {

constexpr std::array<std::pair<NameMode, std::string_view>, 3> k_modes{
    {{NameMode::path, "path"}, {NameMode::scoped, "scoped"}, {NameMode::flat, "flat"}}};

[[noreturn]] void refuse_rule(std::string_view text, std::string_view why) {
  throw diag::FormatError(
      fmt::format("bad mapping '{}': {}", text::escape(text), why),
      "a mapping looks like quay.io/org/app=team/app, quay.io/org/app:1=team/app:2 or quay.io/org/=team/");
}

// "quay.io/org/" in full. A placeholder completes it to an image name, so that the rules for those apply.
std::string full_prefix(std::string_view prefix) {
  constexpr std::string_view k_placeholder = "x/x";  // two components, so that no library/ is added
  std::string name = Reference::parse(std::string(prefix) + std::string(k_placeholder)).name();
  name.resize(name.size() - k_placeholder.size());
  return name;
}

// A registry's host as a component of a path: lower case, and what a path cannot hold becomes a dash.
std::string host_component(std::string_view registry) {
  std::string component;
  for (const char c : registry) {
    if (c == '[' || c == ']') continue;
    if (c == ':')
      component += component.empty() ? "" : "-";
    else
      component += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  while (component.ends_with('-')) component.pop_back();
  return component;
}

std::string by_mode(NameMode mode, const Reference& source) {
  switch (mode) {
    case NameMode::scoped:
      if (source.registry.empty()) break;
      return host_component(source.registry) + "/" + source.repository;
    case NameMode::flat:
      return source.repository.substr(source.repository.rfind('/') + 1);
    case NameMode::path:
      break;
  }
  return source.repository;
}

// A name whose registry nobody knows is completed as one that a user writes.
std::string full_name(const Reference& source) {
  return source.registry.empty() ? Reference::parse(source.repository).name() : source.name();
}

// What rules are compared with.
struct Names {
  std::string name;
  std::string tagged;

  explicit Names(const Reference& source)
      : name(full_name(source)), tagged(source.tag ? name + ":" + *source.tag : name) {}
  bool match(const MapRule& rule) const {
    return rule.is_prefix() ? name.starts_with(rule.from) : rule.from == name || rule.from == tagged;
  }
};

// The rule that is most specific to `source`, or none.
const MapRule* best_rule(const std::vector<MapRule>& rules, const Reference& source) {
  if (rules.empty()) return nullptr;
  const Names names(source);
  const MapRule* best = nullptr;
  for (const MapRule& rule : rules) {
    if (!names.match(rule)) continue;
    // An exact name never ends in '/' and is longer than any prefix of it; with its tag it is longer still.
    if (best == nullptr || rule.from.size() > best->from.size()) best = &rule;
  }
  return best;
}

// The same among exact names alone.
const std::string* listed_place(const std::map<std::string, std::string, std::less<>>& listed,
                                const Reference& source) {
  if (listed.empty()) return nullptr;
  const std::string name = full_name(source);
  auto found = source.tag ? listed.find(name + ":" + *source.tag) : listed.end();
  if (found == listed.end()) found = listed.find(name);
  return found == listed.end() ? nullptr : &found->second;
}

bool has_tag(std::string_view path) {
  return path.find(':', path.rfind('/') + 1) != std::string_view::npos;
}

// With the tag of `source`, unless the path has one, and its digest.
std::string completed(std::string path, const Reference& source) {
  if (source.tag && !has_tag(path)) path += ":" + *source.tag;
  if (source.digest) path += "@" + source.digest->str();
  return path;
}

}  // namespace

std::string_view name_of(NameMode mode) noexcept {
  for (const auto& [candidate, name] : k_modes) {
    if (candidate == mode) return name;
  }
  return "path";
}

NameMode parse_name_mode(std::string_view text) {
  for (const auto& [mode, name] : k_modes) {
    if (name == text) return mode;
  }
  throw diag::FormatError(fmt::format("unknown way of naming '{}'", text::escape(text)),
                          "use path, scoped or flat");
}

MapRule MapRule::parse(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) refuse_rule(text, "there is no '='");
  const std::string_view from = text.substr(0, equals);
  const std::string_view to = text.substr(equals + 1);
  try {
    if (!from.ends_with('/')) return exact(Reference::parse(from), to);
    MapRule rule{.from = full_prefix(from), .to = std::string(to)};
    if (!to.empty() && !to.ends_with('/')) rule.to += '/';
    if (to.find_first_of(":@") != std::string_view::npos) refuse_rule(text, "a prefix cannot get a tag");
    if (!to.empty()) split_path(rule.to.substr(0, rule.to.size() - 1), "path", to);
    return rule;
  } catch (const diag::FormatError& error) {
    if (error.message().starts_with("bad mapping")) throw;
    refuse_rule(text, error.message());
  }
}

MapRule MapRule::exact(const Reference& from, std::string_view to) {
  const auto refuse = [&](std::string_view why) { refuse_rule(fmt::format("{}={}", from.str(), to), why); };
  if (from.digest) refuse("FROM has a digest");
  const PathTagDigest path = split_path(to, "path", to);
  if (path.digest) refuse("TO has a digest");
  if (path.tag && !from.tag) refuse("TO has a tag, so FROM needs one");
  return {.from = from.str(), .to = std::string(to)};
}

bool MapRule::applies_to(const Reference& source) const {
  return Names(source).match(*this);
}

void Mapping::add_rule(std::string_view from_to) {
  MapRule rule = MapRule::parse(from_to);
  for (const MapRule& known : rules) {
    if (known == rule) return;
    if (known.from == rule.from) {
      refuse_rule(from_to, fmt::format("{} already goes to '{}'", known.from, known.to));
    }
  }
  rules.push_back(std::move(rule));
}

std::string Mapping::inside(const Reference& source) const {
  if (auto path = by_rule(source)) return std::move(*path);
  const std::string* place = listed_place(listed, source);
  return completed(place != nullptr ? *place : by_mode(mode, source), source);
}

std::optional<std::string> Mapping::by_rule(const Reference& source) const {
  const MapRule* rule = best_rule(rules, source);
  if (rule == nullptr) return std::nullopt;
  return completed(rule->is_prefix() ? rule->to + source.name().substr(rule->from.size()) : rule->to, source);
}

Reference Mapping::target(const Reference& source, const RegistryTarget& where) const {
  try {
    return where.place(inside(source));
  } catch (diag::FormatError& error) {
    error.add_context(fmt::format("naming {} inside {}", source.str(), where.str()));
    error.set_hint("give it another name with --map FROM=TO");
    throw;
  }
}

std::string Collision::str() const {
  std::string text;
  for (const Reference& source : sources) text += (text.empty() ? "" : " and ") + source.str();
  return fmt::format("{} would {} become {}", text, sources.size() == 2 ? "both" : "all", target.str());
}

std::string Collision::hint() const {
  const Reference& first = sources.front();
  const bool one_repository = std::all_of(sources.begin(), sources.end(), [&](const Reference& source) {
    return source.registry == first.registry && source.repository == first.repository;
  });
  if (one_repository) return "one tag cannot stand for several digests: leave all of them but one out";
  return "keep them apart with --scoped, or name another target with --map FROM=TO";
}

std::vector<Collision> find_collisions(std::span<const Naming> names) {
  struct Claims {
    std::set<Reference> sources;
    std::set<std::string> contents;
  };
  std::map<Reference, Claims> claims_of;
  for (const Naming& name : names) {
    if (name.target.digest && !name.target.tag) continue;
    Reference tag = name.target;
    tag.digest.reset();
    Claims& claims = claims_of[tag];
    claims.sources.insert(name.source);
    claims.contents.insert(name.digest.empty() ? name.source.str() : name.source.name() + "@" + name.digest);
  }
  std::vector<Collision> collisions;
  for (const auto& [target, claims] : claims_of) {
    if (claims.contents.size() > 1)
      collisions.push_back({target, {claims.sources.begin(), claims.sources.end()}});
  }
  return collisions;
}

}  // namespace airgap::image
