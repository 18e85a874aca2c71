#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/image/semver.hpp"
#include "common/text/pattern.hpp"

namespace airgap::exporter {

struct AllTags {};

/// Which of a repository's tags are wanted.
class TagFilter {
 public:
  using Rule = std::variant<AllTags, text::Pattern, image::SemverConstraint>;
  explicit TagFilter(Rule rule) : m_rule(std::move(rule)) {}

  void exclude(text::Pattern pattern) { m_excluded.push_back(std::move(pattern)); }
  /// Of the versions among a repository's tags taken, the highest `count` alone; newest() below does it.
  void keep_newest(std::size_t count) { m_newest = count; }
  const std::optional<std::size_t>& newest() const noexcept { return m_newest; }

  /// Whether this tag alone could be wanted. What is no version is taken by no version constraint, and by
  /// none that keeps the newest.
  bool takes(const std::string& tag) const;
  /// Whether every tag is wanted.
  bool takes_all() const {
    return std::holds_alternative<AllTags>(m_rule) && m_excluded.empty() && !m_newest;
  }
  std::string str() const;  ///< "no tag of X <str()>": "matches '^1\.'"; safe to print

 private:
  bool fits_rule(const std::string& tag) const;

  Rule m_rule;
  std::vector<text::Pattern> m_excluded;
  std::optional<std::size_t> m_newest;
};

/// The `count` highest semantic versions, the highest first; what is no version is left out. Of tags that
/// mean one version (1.2 and v1.2.0) the later text counts as the higher.
std::vector<std::string> newest(std::vector<std::string> tags, std::size_t count);

}  // namespace airgap::exporter
