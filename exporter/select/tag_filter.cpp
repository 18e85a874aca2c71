#include "exporter/select/tag_filter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/text/escape.hpp"

namespace airgap::exporter {

bool TagFilter::takes(const std::string& tag) const {
  if (!fits_rule(tag) || (m_newest && !image::SemanticVersion::parse(tag))) return false;
  return std::none_of(m_excluded.begin(), m_excluded.end(),
                      [&](const text::Pattern& pattern) { return pattern.found_in(tag); });
}

bool TagFilter::fits_rule(const std::string& tag) const {
  if (const auto* pattern = std::get_if<text::Pattern>(&m_rule)) return pattern->found_in(tag);
  if (const auto* constraint = std::get_if<image::SemverConstraint>(&m_rule)) {
    const auto version = image::SemanticVersion::parse(tag);
    return version && constraint->allows(*version);
  }
  return true;
}

std::string TagFilter::str() const {
  std::string text = "exists";
  if (const auto* pattern = std::get_if<text::Pattern>(&m_rule)) {
    text = fmt::format("matches '{}'", text::escape(pattern->str()));
  } else if (const auto* constraint = std::get_if<image::SemverConstraint>(&m_rule)) {
    text = fmt::format("is a version '{}'", text::escape(constraint->str()));
  }
  for (const text::Pattern& pattern : m_excluded) {
    text += fmt::format(", without a match of '{}'", text::escape(pattern.str()));
  }
  if (m_newest) text += fmt::format(", as a version among the newest {}", *m_newest);
  return text;
}

std::vector<std::string> newest(std::vector<std::string> tags, std::size_t count) {
  std::vector<std::pair<image::SemanticVersion, std::string>> versions;
  for (std::string& tag : tags) {
    if (auto version = image::SemanticVersion::parse(tag)) {
      versions.emplace_back(std::move(*version), std::move(tag));
    }
  }
  std::sort(versions.begin(), versions.end(), [](const auto& a, const auto& b) { return b < a; });
  versions.resize(std::min(versions.size(), count));
  std::vector<std::string> highest;
  highest.reserve(versions.size());
  for (auto& [version, tag] : versions) highest.push_back(std::move(tag));
  return highest;
}

}  // namespace airgap::exporter
