#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/http/message.hpp"

namespace airgap::registry {

/// The target of rel="next" in Link fields (RFC 8288), as it is written. Tolerant: several links, unquoted
/// values.
std::optional<std::string> next_link(const std::vector<std::string>& fields);

/// Walks pages and sees to it that they end (R58, R59).
class PageWalk {
 public:
  PageWalk(std::string registry, std::size_t max_pages)
      : m_registry(std::move(registry)), m_left(max_pages) {}

  /// The next page after `head`, which brought something new (or nothing at all) unless `repeats`. Throws
  /// NetworkError for another origin, a page seen before, a page that only repeats, or too many.
  std::optional<http::Url> next(const http::ResponseHead& head, bool repeats);

 private:
  std::string m_registry;
  std::size_t m_left;
  std::set<std::string> m_seen;
};

}  // namespace airgap::registry
