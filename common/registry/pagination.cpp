#include "common/registry/pagination.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "common/diag/error.hpp"

namespace airgap::registry {
namespace {

constexpr std::string_view k_space = " \t";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(k_space), text.size());
  text.remove_prefix(begin);
  return text.substr(0, text.find_last_not_of(k_space) + 1);
}

std::string lowered(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return result;
}

// `rest` begins at a '"' or at a bare value; takes the value off its front.
std::string_view take_value(std::string_view& rest) {
  const bool quoted = rest.starts_with('"');
  if (quoted) rest.remove_prefix(1);
  const std::size_t end = std::min(rest.find_first_of(quoted ? "\"" : ",; \t"), rest.size());
  const std::string_view value = rest.substr(0, end);
  rest.remove_prefix(std::min(end + (quoted ? 1 : 0), rest.size()));
  return value;
}

// Takes the parameters after "<target>" off the front of `rest`, up to the ',' before the next link.
bool take_is_next(std::string_view& rest) {
  bool next = false;
  while (!rest.empty() && rest.front() != ',') {
    const std::size_t stop = std::min(rest.find_first_of("=,"), rest.size());
    const std::string name = lowered(trimmed(rest.substr(0, stop)));
    rest.remove_prefix(stop);
    if (!rest.starts_with('=')) break;
    rest.remove_prefix(1);
    rest.remove_prefix(std::min(rest.find_first_not_of(k_space), rest.size()));
    const std::string value = " " + lowered(take_value(rest)) + " ";
    if (name.ends_with("rel") &&
        trimmed(std::string_view(name).substr(name.find_last_of("; \t") + 1)) == "rel") {
      next = next || value.find(" next ") != std::string::npos;
    }
  }
  return next;
}

[[noreturn]] void fail(const std::string& registry, std::string_view why) {
  throw diag::NetworkError(fmt::format("the list of {} cannot be read to its end: {}", registry, why));
}

}  // namespace

std::optional<std::string> next_link(const std::vector<std::string>& fields) {
  for (const std::string& field : fields) {
    std::string_view rest = field;
    for (;;) {
      const std::size_t open = rest.find('<');
      const std::size_t close = open == std::string_view::npos ? open : rest.find('>', open);
      if (close == std::string_view::npos) break;
      const std::string target(rest.substr(open + 1, close - open - 1));
      rest.remove_prefix(close + 1);
      if (take_is_next(rest)) return target;
    }
  }
  return std::nullopt;
}

std::optional<http::Url> PageWalk::next(const http::ResponseHead& head, bool repeats) {
  const auto link = next_link(head.headers.all("Link"));
  if (!link) return std::nullopt;
  if (repeats) fail(m_registry, "a page repeats what was there before");
  http::Url url = [&] {
    try {
      return head.url.resolve(*link);
    } catch (const diag::UnsafeError& error) {
      fail(m_registry, error.message());
    }
  }();
  if (url.origin() != head.url.origin()) {
    fail(m_registry, fmt::format("its next page is said to be at {}", url.origin().str()));
  }
  if (!m_seen.insert(url.str()).second) fail(m_registry, "its pages go in a circle");
  if (m_left-- <= 1) fail(m_registry, "it has too many pages");
  return url;
}

}  // namespace airgap::registry
