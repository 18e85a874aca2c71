#pragma once

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

  bool takes(const std::string& tag) const;  ///< what is no version is taken by no version constraint
  std::string str() const;                   ///< "no tag of X <str()>": "matches '^1\.'"; safe to print

 private:
  Rule m_rule;
};

}  // namespace airgap::exporter
