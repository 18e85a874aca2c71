#include "common/registry/registries_conf.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

#include "common/diag/error.hpp"
#include "common/diag/log.hpp"
#include "common/image/reference.hpp"
#include "common/text/escape.hpp"
#include "common/text/nearest.hpp"
#include "common/toml/reader.hpp"

namespace airgap::registry {
namespace {

void mention_unknown(const toml::Node& table, std::initializer_list<std::string_view> known) {
  for (const auto& [key, value] : table.members()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const auto meant = text::nearest(key, {known.begin(), known.end()});
    diag::log("registry", diag::LogLevel::warning,
              fmt::format("{}: unknown key '{}', passed over{}", value.place(), text::escape(key),
                          meant ? fmt::format("; did you mean '{}'?", *meant) : std::string{}));
  }
}

bool flag(const toml::Node& table, std::string_view name) {
  const toml::Node* node = table.find(name);
  return node != nullptr && node->boolean();
}

std::string without_trailing_slashes(const toml::Node& node) {
  std::string text = node.text();
  while (text.ends_with('/')) text.pop_back();
  return text;
}

// "host[:port][/path]". A prefix may also end in a tag or digest.
void check_location(const toml::Node& node, const std::string& location, std::string_view what) {
  const std::size_t slash = std::min(location.find('/'), location.size());
  const std::string path = location.substr(std::min(slash + 1, location.size()));
  const bool good = image::is_valid_registry(location.substr(0, slash)) &&
                    (slash == location.size() || image::is_valid_repository(path));
  if (good) return;
  node.fail(fmt::format("bad {} '{}'", what, text::escape(location)),
            location.find("://") != location.npos ? "leave out what stands before and with '://'"
                                                  : "it is HOST[:PORT][/PATH]");
}

std::string read_location(const toml::Node& table, std::string_view what) {
  const toml::Node* node = table.find("location");
  if (node == nullptr) return {};
  std::string location = without_trailing_slashes(*node);
  if (location.empty()) return location;
  check_location(*node, location, what);
  return location;
}

// False where no repository can have it: a prefix that ends in a tag or digest.
bool check_prefix(const toml::Node& node, const std::string& prefix) {
  if (prefix.starts_with("*.")) {
    if (prefix.find_first_of("/:@") != prefix.npos || !image::is_valid_registry(prefix.substr(2))) {
      node.fail(fmt::format("bad prefix '{}'", text::escape(prefix)),
                "a wildcard stands before a domain alone: *.example.com");
    }
    return true;
  }
  const std::size_t path = std::min(prefix.find('/'), prefix.size());
  const std::size_t end = std::min(prefix.find_first_of(":@", path), prefix.size());
  check_location(node, prefix.substr(0, end), "prefix");
  if (end == prefix.size()) return true;
  diag::log("registry", diag::LogLevel::warning,
            fmt::format("{}: the prefix '{}' ends in a tag or digest and has no effect, as in podman",
                        node.place(), text::escape(prefix)));
  return false;
}

MirrorRule::Use read_use(const toml::Node& node) {
  const std::string& text = node.text();
  if (text.empty() || text == "all") return MirrorRule::Use::all;
  if (text == "digest-only") return MirrorRule::Use::digest_only;
  if (text == "tag-only") return MirrorRule::Use::tag_only;
  node.fail(fmt::format("bad pull-from-mirror '{}'", text::escape(text)),
            "it is all, digest-only or tag-only");
}

MirrorRule read_mirror(const toml::Node& table, bool by_digest_only) {
  mention_unknown(table, {"location", "insecure", "pull-from-mirror"});
  MirrorRule mirror{.location = read_location(table, "location"), .insecure = flag(table, "insecure")};
  if (mirror.location.empty()) table.fail("a mirror needs a location");
  if (by_digest_only) mirror.use = MirrorRule::Use::digest_only;
  if (const toml::Node* use = table.find("pull-from-mirror"); use != nullptr && !use->text().empty()) {
    if (by_digest_only) use->fail("pull-from-mirror and mirror-by-digest-only exclude each other");
    mirror.use = read_use(*use);
  }
  return mirror;
}

// Nothing for a rule that no repository can match.
std::optional<RegistryRule> read_rule(const toml::Node& table) {
  mention_unknown(table, {"prefix", "location", "insecure", "blocked", "mirror", "mirror-by-digest-only",
                          "pull-from-mirror"});
  RegistryRule rule{.prefix = {}, .location = read_location(table, "location"), .place = table.place()};
  bool effective = true;
  if (const toml::Node* prefix = table.find("prefix")) {
    rule.prefix = without_trailing_slashes(*prefix);
    if (!rule.prefix.empty()) effective = check_prefix(*prefix, rule.prefix);
  }
  if (rule.prefix.empty()) rule.prefix = rule.location;
  if (rule.location.empty() && !rule.prefix.starts_with("*.")) {
    table.fail("a registry needs a location", "only a prefix such as *.example.com does without one");
  }
  rule.insecure = flag(table, "insecure");
  rule.blocked = flag(table, "blocked");
  if (const toml::Node* use = table.find("pull-from-mirror")) {
    use->fail("pull-from-mirror belongs into [[registry.mirror]]");
  }
  const bool by_digest_only = flag(table, "mirror-by-digest-only");
  if (const toml::Node* mirrors = table.find("mirror")) {
    for (const toml::Node& mirror : mirrors->elements())
      rule.mirrors.push_back(read_mirror(mirror, by_digest_only));
  }
  return effective ? std::optional(std::move(rule)) : std::nullopt;
}

std::vector<RegistryRule> read_rules(const toml::Node& list) {
  std::vector<RegistryRule> rules;
  for (const toml::Node& table : list.elements()) {
    std::optional<RegistryRule> rule = read_rule(table);
    if (!rule) continue;
    const auto known = std::find_if(rules.begin(), rules.end(),
                                    [&](const RegistryRule& other) { return other.prefix == rule->prefix; });
    if (known == rules.end()) {
      rules.push_back(std::move(*rule));
    } else {
      diag::log("registry", diag::LogLevel::warning,
                fmt::format("{}: the prefix {} has a table already, at {}, and that one counts", rule->place,
                            rule->prefix, known->place));
    }
  }
  return rules;
}

// Throws FormatError.
image::Reference plain_name(const std::string& text) {
  image::Reference name = image::Reference::parse(text);
  if (name.tag || name.digest) throw diag::FormatError("it has a tag or digest");
  return name;
}

void read_alias(const toml::Member& member, const std::string& file, std::map<std::string, Alias>& aliases) {
  const auto& [key, value] = member;
  try {
    if (image::Reference::names_registry(key)) throw diag::FormatError("it names a registry");
    plain_name(key);
  } catch (const diag::FormatError& error) {
    value.fail(fmt::format("bad short name '{}': {}", text::escape(key), error.message()));
  }
  const std::string& text = value.text();
  try {
    if (!text.empty() && !image::Reference::names_registry(text)) {
      throw diag::FormatError("it names no registry");
    }
    aliases[key] = {text.empty() ? text : plain_name(text).name(), file};
  } catch (const diag::FormatError& error) {
    value.fail(
        fmt::format("bad name '{}' for the short name {}: {}", text::escape(text), key, error.message()));
  }
}

}  // namespace

void RegistriesConf::update_with(RegistriesConf later) {
  for (RegistryRule& rule : later.rules) {
    const auto known = std::find_if(rules.begin(), rules.end(),
                                    [&](const RegistryRule& other) { return other.prefix == rule.prefix; });
    if (known == rules.end()) {
      rules.push_back(std::move(rule));
    } else {
      *known = std::move(rule);
    }
  }
  for (auto& [name, alias] : later.aliases) aliases[name] = std::move(alias);
  if (later.credential_helpers) credential_helpers = std::move(later.credential_helpers);
}

const Alias* RegistriesConf::alias_of(std::string_view text) const {
  if (aliases.empty() || image::Reference::names_registry(text)) return nullptr;
  const auto alias = aliases.find(std::string(text.substr(0, text.find_first_of(":@"))));
  return alias == aliases.end() || alias->second.name.empty() ? nullptr : &alias->second;
}

std::string RegistriesConf::expanded(std::string_view text) const {
  const Alias* alias = alias_of(text);
  if (alias == nullptr) return std::string(text);
  return alias->name + std::string(text.substr(std::min(text.find_first_of(":@"), text.size())));
}

RegistriesConf parse_registries_conf(std::string_view text, const std::string& file) {
  const toml::Node root = toml::read(text, file);
  if (const toml::Node* old = root.find("registries")) {
    old->fail("this is the format of version 1, which is not read",
              "write [[registry]] tables: containers-registries.conf(5) shows them");
  }
  mention_unknown(root, {"registry", "aliases", "credential-helpers", "unqualified-search-registries",
                         "short-name-mode", "additional-layer-store-auth-helper"});
  RegistriesConf conf;
  if (const toml::Node* rules = root.find("registry")) conf.rules = read_rules(*rules);
  if (const toml::Node* aliases = root.find("aliases")) {
    for (const toml::Member& member : aliases->members()) read_alias(member, file, conf.aliases);
  }
  if (const toml::Node* helpers = root.find("credential-helpers")) {
    conf.credential_helpers.emplace();
    for (const toml::Node& helper : helpers->elements()) conf.credential_helpers->push_back(helper.text());
  }
  return conf;
}

}  // namespace airgap::registry
