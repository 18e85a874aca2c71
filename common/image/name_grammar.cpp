#include "common/image/name_grammar.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/diag/error.hpp"
#include "common/image/reference.hpp"
#include "common/text/escape.hpp"

namespace airgap::image {
namespace {

constexpr std::size_t k_max_tag = 128;
constexpr std::size_t k_max_host = 255;
constexpr const char* k_hint =
    "a name looks like registry.example.com/team/app:1.4 or registry.example.com/team/app@sha256:...";

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_lower_alnum(char c) {
  return is_lower(c) || is_digit(c);
}
bool is_alnum(char c) {
  return is_lower_alnum(c) || is_upper(c);
}
bool is_word(char c) {
  return is_alnum(c) || c == '_';
}
bool is_separator(char c) {
  return c == '.' || c == '_' || c == '-';
}

std::string shown(std::string_view text) {
  return text::escape(text, 80);
}

// Between letters and digits stand one '.', one or two '_', or any number of '-'.
bool is_separator_run(std::string_view run) {
  return run == "." || run == "_" || run == "__" || run.find_first_not_of('-') == std::string_view::npos;
}

std::optional<std::string> component_fault(std::string_view component) {
  if (component.empty()) return "a '/' has nothing before or after it";
  if (std::any_of(component.begin(), component.end(), is_upper)) {
    return fmt::format("'{}' has upper-case letters, and repositories are lower case", shown(component));
  }
  const auto odd = std::find_if_not(component.begin(), component.end(),
                                    [](char c) { return is_lower_alnum(c) || is_separator(c); });
  if (odd != component.end()) {
    return fmt::format("'{}' may not occur in a repository: a-z, 0-9, '.', '_' and '-' may",
                       shown(component.substr(static_cast<std::size_t>(odd - component.begin()))));
  }
  if (is_separator(component.front()) || is_separator(component.back())) {
    return fmt::format("'{}' must start and end with a letter or digit", shown(component));
  }
  for (std::size_t i = 0; i < component.size(); ++i) {
    std::size_t end = i;
    while (end < component.size() && is_separator(component[end])) ++end;
    if (end != i && !is_separator_run(component.substr(i, end - i))) {
      return fmt::format("'{}' in '{}' is no separator: one '.', one or two '_' or dashes are",
                         shown(component.substr(i, end - i)), shown(component));
    }
    i = std::max(i, end);
  }
  return std::nullopt;
}

std::optional<std::string> port_fault(std::string_view port) {
  const bool digits = !port.empty() && port.size() <= 5 && std::all_of(port.begin(), port.end(), is_digit);
  if (digits) {
    const int number = std::stoi(std::string(port));
    if (number >= 1 && number <= 65535) return std::nullopt;
  }
  return fmt::format("'{}' is no port number", shown(port));
}

std::optional<std::string> host_fault(std::string_view host) {
  if (host.starts_with('[')) {
    const std::string_view address = host.substr(1, host.size() - 2);
    const bool plausible = host.ends_with(']') && address.size() >= 2 && address.size() <= 45 &&
                           address.find(':') != std::string_view::npos &&
                           address.find_first_not_of("0123456789abcdefABCDEF:") == std::string_view::npos;
    if (!plausible) return fmt::format("'{}' is no IPv6 address in brackets", shown(host));
    return std::nullopt;
  }
  while (true) {
    const std::size_t dot = host.find('.');
    const std::string_view label = host.substr(0, dot);
    const bool valid =
        !label.empty() && is_alnum(label.front()) && is_alnum(label.back()) &&
        std::all_of(label.begin(), label.end(), [](char c) { return is_alnum(c) || c == '-'; });
    if (!valid) return fmt::format("'{}' cannot be part of a host name", shown(label));
    if (dot == std::string_view::npos) return std::nullopt;
    host.remove_prefix(dot + 1);
  }
}

}  // namespace

std::optional<std::string> registry_fault(std::string_view registry) {
  if (registry.empty()) return "the registry's host is missing";
  if (registry.size() > k_max_host) return "the registry's host is longer than 255 characters";
  const std::size_t bracket = registry.rfind(']');
  const std::size_t colon = registry.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (auto fault = host_fault(registry.substr(0, colon))) return fault;
  return colon == std::string_view::npos ? std::nullopt : port_fault(registry.substr(colon + 1));
}

std::optional<std::string> repository_fault(std::string_view path) {
  if (path.empty()) return "the repository is missing";
  if (path.size() > k_max_repository) {
    return fmt::format("the repository is {} characters long, and registries take at most {}", path.size(),
                       k_max_repository);
  }
  while (true) {
    const std::size_t slash = path.find('/');
    if (auto fault = component_fault(path.substr(0, slash))) return fault;
    if (slash == std::string_view::npos) return std::nullopt;
    path.remove_prefix(slash + 1);
  }
}

std::optional<std::string> tag_fault(std::string_view tag) {
  if (tag.empty()) return "the tag after ':' is missing";
  if (tag.size() > k_max_tag)
    return fmt::format("the tag is {} characters long, and 128 is the limit", tag.size());
  if (!is_word(tag.front())) {
    return fmt::format("the tag '{}' must start with a letter, a digit or '_'", shown(tag));
  }
  if (!std::all_of(tag.begin(), tag.end(), [](char c) { return is_word(c) || c == '.' || c == '-'; })) {
    return fmt::format("the tag '{}' may hold letters, digits, '_', '.' and '-' only", shown(tag));
  }
  return std::nullopt;
}

void refuse_name(std::string_view what, std::string_view whole, std::string_view why) {
  throw diag::FormatError(fmt::format("bad {} '{}': {}", what, text::escape(whole), why), k_hint);
}

PathTagDigest split_path(std::string_view text, std::string_view what, std::string_view whole) {
  PathTagDigest parts;
  if (const std::size_t at = text.find('@'); at != std::string_view::npos) {
    try {
      parts.digest = hash::Digest::parse(text.substr(at + 1));
    } catch (const diag::FormatError& error) {
      refuse_name(what, whole, error.message());
    }
    text = text.substr(0, at);
  }
  const std::size_t slash = text.rfind('/');
  const std::size_t colon = text.find(':', slash == std::string_view::npos ? 0 : slash);
  if (colon != std::string_view::npos) {
    parts.tag = text.substr(colon + 1);
    if (const auto fault = tag_fault(*parts.tag)) refuse_name(what, whole, *fault);
    text = text.substr(0, colon);
  }
  parts.path = text;
  if (const auto fault = repository_fault(parts.path)) refuse_name(what, whole, *fault);
  return parts;
}

}  // namespace airgap::image
